"""Fits the tables of `predictive` to motion: the transform to how faces move, frequencies to what is left of it.

Several times over: what is rounded to what depends on the sizes of residuals, which are then counted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec.errors import TablesError
from codec.motion import POSE_NUMBERS, Motion
from codec.predictive_default import classes_of, default_tables, laplace_weights, weights_of
from codec.predictive_tables import (
    CLASSES,
    CONTEXTS,
    LARGEST_SYMBOL,
    MATRIX_UNIT,
    SYMBOLS,
    PredictiveTables,
)
from codec.quantise import dequantise, place_keypoints, quantise, rebased_at
from codec.residual import CLIP, RUN_BEGINS, RUN_LIMITS, RUN_SHIFT
from codec.symbols import integer_shares
from codec.wire import Level

DEPTH_WEIGHT: Final = 0.25
"""How much an error in depth counts beside one in x or y: it shows only in heads that are turned."""
ERROR_PX: Final = 0.25
"""RMS error of a keypoint's x and of its y at level `high`, in pixels of a 256 px picture; doubled at each level."""
PX_PER_UNIT: Final = 128.0
PASSES: Final = 3
_STEP_CLIPS: Final = 32
_PRIOR: Final = 30.0  # counts that the Laplace law is worth in each table
_BEGIN_EACH: Final = 6  # every sixth frame is also counted as a beginning
_SKIP_EACH: Final = 4  # every fourth as told against the frame before the last, as repeats are

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ClipMotion:
    """Motion of one clip: vectors [N,3K+6] (`Motion.as_vector`) at an even rate, x_c [K,3] of its source picture."""

    vectors: NDArray[np.float32]
    x_c: NDArray[np.float32]


def fit_tables(clips: Sequence[ClipMotion], scaled: bool = True) -> PredictiveTables:
    """Fit on clips of people, thousands of frames in all. Args: scaled: whether t_z is log-scale (`compact`).

    Raises: TablesError without clips of at least 6 frames, or of different K.
    """
    clips = [clip for clip in clips if len(clip.vectors) >= 6]
    if not clips or len({clip.x_c.shape for clip in clips}) != 1:
        raise TablesError(f"expected clips of 6 frames or more, of as many keypoints, got {len(clips)} to fit on")
    tables = _fit_transform(clips, default_tables(len(clips[0].x_c), scaled))
    for _ in range(PASSES):
        tables = _fit_step(clips, tables)
        pairs = [[_residuals(clip, tables, level) for clip in clips] for level in Level]
        by_mode = [np.concatenate([pair[begins] for pair in pairs[level]]) for begins in (0, 1) for level in Level]
        tables = _fit_frequencies(by_mode, tables)
    return tables


def _fit_transform(clips: Sequence[ClipMotion], tables: PredictiveTables) -> PredictiveTables:
    """Mean, and the KLT of how delta' changes between frames, with depth weighed less."""
    local = [np.stack([rebased_at(motion, clip.x_c, tables) for motion in _motions(clip)]) for clip in clips]
    weight = np.tile([1.0, 1.0, DEPTH_WEIGHT], tables.keypoints)
    changes = np.concatenate([np.diff(deltas, axis=0) for deltas in local]) * weight
    _, columns = np.linalg.eigh(changes.T @ changes)
    directions = columns[:, ::-1].T  # the strongest first
    signs = np.where(directions.sum(axis=1, keepdims=True) < 0, -1, 1)  # an eigenvector has none of its own
    mean = np.mean([deltas.mean(axis=0) for deltas in local], axis=0)
    return tables.replaced(mean=_fixed(mean), basis=_fixed(signs * directions / weight))


def _fit_step(clips: Sequence[ClipMotion], tables: PredictiveTables) -> PredictiveTables:
    """The step that gives `ERROR_PX` at level `high`: error grows nearly in proportion to it."""
    squares = [_squared_errors(clip, tables) for clip in clips[:: max(len(clips) // _STEP_CLIPS, 1)]]
    rms_px = float(np.sqrt(np.mean(np.concatenate(squares)) / 2)) * PX_PER_UNIT
    steps = tables.arrays["steps"].astype(np.int64)
    steps[-1] = max(round(steps[-1] * min(max(ERROR_PX / max(rms_px, 1e-9), 1 / 4), 4.0)), 1)
    return tables.replaced(steps=steps)


def _squared_errors(clip: ClipMotion, tables: PredictiveTables) -> NDArray[np.float64]:
    """How far coding at level `high` moves each keypoint of each frame in x and y, squared, in crop units."""
    x_c, errors = clip.x_c.astype(np.float64), []
    motions = list(_motions(clip))
    for motion, integers in zip(motions, _integers(motions, x_c, tables, Level.HIGH).tolist(), strict=True):
        places = (
            place_keypoints(one.as_vector()[:POSE_NUMBERS].astype(np.float64), one.delta, x_c, tables.scaled)
            for one in (motion, dequantise(integers, tables, Level.HIGH, 0.0))
        )
        before, after = places
        errors.append(((after - before)[:, :2] ** 2).sum(axis=1))
    return np.concatenate(errors)


def _residuals(clip: ClipMotion, tables: PredictiveTables, level: Level) -> tuple[Rows, Rows]:
    """What coding this clip would meet, [F,3K+6] each: frame by frame (and two frames on), and beginning at some."""
    q = _integers(list(_motions(clip)), clip.x_c.astype(np.float64), tables, level)
    return np.concatenate((np.diff(q, axis=0), q[2::_SKIP_EACH] - q[:-2:_SKIP_EACH])), q[::_BEGIN_EACH]


def _integers(motions: Sequence[Motion], x_c: NDArray[np.float64], tables: PredictiveTables, level: Level) -> Rows:
    """What an encoder makes of frames one after another: [F,3K+6]."""
    integers: list[list[int]] = []
    for motion in motions:
        integers.append(quantise(motion, x_c, tables, level, integers[-1] if integers else None))
    return np.array(integers, np.int64)


def _fit_frequencies(residuals: Sequence[Rows], tables: PredictiveTables) -> PredictiveTables:
    """Args: residuals [F,3K+6] of each mode."""
    sizes = np.stack([np.abs(rows).mean(axis=0) for rows in residuals])
    classes, weights = classes_of(sizes), weights_of(sizes)
    counts = np.zeros((CLASSES, CONTEXTS, SYMBOLS))
    for mode, rows in enumerate(residuals):
        contexts = contexts_of(rows, weights[mode])
        np.add.at(counts, (np.broadcast_to(classes[mode], rows.shape), contexts, _symbols(rows)), 1.0)
    law = laplace_weights().astype(np.float64)
    counts += _PRIOR * law / law.sum(axis=-1, keepdims=True)
    shares = integer_shares(np.rint(counts * (1 << 20) / counts.sum(axis=-1, keepdims=True)).astype(np.int64))
    return tables.replaced(classes=classes, weights=weights, frequencies=shares)


def contexts_of(residuals: Rows, weights: Rows) -> Rows:
    """The context of each residual [F,3K+6], as `residual.code_frame` comes to it one by one."""
    run = np.full(len(residuals), RUN_BEGINS, np.int64)
    columns = []
    for column, weight in zip(np.minimum(np.abs(residuals), CLIP).T, weights, strict=True):
        columns.append(np.searchsorted(RUN_LIMITS, run, side="right"))
        run = run + ((column * weight - run) >> RUN_SHIFT)
    return np.asarray(np.stack(columns, axis=1), np.int64)


def _symbols(residuals: Rows) -> Rows:
    size = np.abs(residuals)
    return np.asarray(np.where(size > LARGEST_SYMBOL, SYMBOLS - 1, 2 * size - (residuals > 0)), np.int64)


def _motions(clip: ClipMotion) -> Iterator[Motion]:
    return (Motion.from_vector(vector, 0.0) for vector in clip.vectors)


def _fixed(numbers: NDArray[np.float64]) -> NDArray[Any]:
    return np.clip(np.rint(numbers * MATRIX_UNIT), -0x7FFF, 0x7FFF).astype(np.int64)
