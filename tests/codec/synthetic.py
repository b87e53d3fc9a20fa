"""Motion such as a model finds in clips, made from a seed: what the codec's tests fit tables on and code."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from codec import ByteTables, CodecTables, Motion
from codec.motion import number_count
from codec.predictive_fit import ClipMotion, fit_tables

FPS = 25.0
_MODES = 6  # independent movements of the face: jaw, lips, brows, lids ...
_POSE_SPREAD = np.array([12.0, 6.0, 5.0, 0.05, 0.04, 0.05])  # degrees, crop units, log-scale


def clip_vectors(seed: int, frames: int, keypoints: int = 20) -> NDArray[np.float32]:
    """One person's motion vectors, [frames, 3K+6]: slow pose, a face of their own, expressions, a little noise."""
    rng = np.random.default_rng(seed)
    pose = _POSE_SPREAD * (_slow(rng, frames, 6, hertz=0.4) + 0.5 * rng.standard_normal(6))
    neutral = 0.03 * rng.standard_normal(3 * keypoints)
    modes = 0.02 * rng.standard_normal((_MODES, 3 * keypoints))
    delta = neutral + _slow(rng, frames, _MODES, hertz=2.0) @ modes
    noise = 0.001 * rng.standard_normal((frames, number_count(keypoints)))
    return (np.concatenate((pose, delta), axis=1) + noise).astype(np.float32)


def clip_motions(seed: int, frames: int, keypoints: int = 20, start_s: float = 0.0) -> list[Motion]:
    """The same as motions, 25 frames a second."""
    vectors = clip_vectors(seed, frames, keypoints)
    return [Motion.from_vector(vector, start_s + index / FPS) for index, vector in enumerate(vectors)]


def canonical(seed: int, keypoints: int = 20) -> NDArray[np.float32]:
    """Somebody's canonical keypoints x_c [K,3]."""
    return np.random.default_rng(1000 + seed).normal(0.0, 0.25, (keypoints, 3)).astype(np.float32)


@cache
def fitted_tables(keypoints: int = 20) -> CodecTables:
    """Tables fitted on five people, seeds 1 to 5; clips of other seeds are people the tables never saw."""
    clips = [ClipMotion(clip_vectors(seed, 60, keypoints), canonical(seed, keypoints)) for seed in range(1, 6)]
    return CodecTables(ByteTables.fit(np.concatenate([clip.vectors for clip in clips])), fit_tables(clips))


def _slow(rng: np.random.Generator, frames: int, signals: int, hertz: float) -> NDArray[np.float64]:
    """[frames, signals] of unit size: three sines each, up to `hertz`."""
    time_s = np.arange(frames)[:, None, None] / FPS
    frequency = hertz * rng.uniform(0.1, 1.0, (1, signals, 3))
    phase = rng.uniform(0, 2 * np.pi, (1, signals, 3))
    waves: NDArray[np.float64] = np.sin(2 * np.pi * frequency * time_s + phase)  # [frames, signals, 3]
    return np.asarray(np.sqrt(2 / 3) * waves.sum(axis=2))
