"""What `predictive` codes with, fitted for a model: steps, transform, frequencies. FORMAT.md says what each is for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec.errors import TablesError
from codec.motion import MAX_KEYPOINTS, POSE_NUMBERS, number_count
from codec.symbols import TABLE_SUM, Model, build_model

LEVELS: Final = 3
MODES: Final = 2 * LEVELS  # built on a state at each level, then on nothing at each level
CLASSES: Final = 24  # components whose residuals are of one size share their tables
CONTEXTS: Final = 8  # what the residuals before say of the size of one
LARGEST_SYMBOL: Final = 12  # residuals beyond it are escaped
SYMBOLS: Final = 2 * LARGEST_SYMBOL + 2  # 0, +1, -1, ... +12, -12, escape
STEP_UNIT: Final = 1 << 24
MATRIX_UNIT: Final = 1 << 13
WEIGHT_UNIT: Final = 1 << 10
SMALLEST: Final = 0.04  # mean magnitude of the residuals of class 0, in steps; each next is a third larger
RATIO: Final = 4 / 3

_TRADE: Final = 0.1  # half of what a bit is worth in squared steps; the best of 0.06 to 0.16 at equal error


class PredictiveTables:
    """Transform, steps and frequencies of one model. All are stored as integers:

    scaled [1] u8: 1 where t_z is the logarithm of the head's scale (`compact`), 0 where it is depth (`paper`).
    steps [7] u32 in 2^-24: of yaw, pitch, roll (degrees), t_x, t_y, t_z at level `high`, then of all coefficients.
    mean [3K] i16, basis [3K,3K] i16 in 2^-13: delta' = mean + sum of coefficient i times row i of basis.
    classes [6,3K+6] u8 below 24: which tables each component has; rows are the modes.
    weights [6,3K+6] u16 from 1: 2^10 by the usual size of each component's residual.
    frequencies [24,8,26] u16 from 1: class, context, symbol; rows add up to 65536.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take tables as stored with a model. TablesError where one is missing, or not as above."""
        self.arrays: dict[str, NDArray[Any]] = _checked(arrays)
        self.scaled = bool(self.arrays["scaled"][0])
        steps = self.arrays["steps"] / STEP_UNIT
        self.pose_steps: NDArray[np.float64] = steps[:POSE_NUMBERS]
        self.delta_step = float(steps[POSE_NUMBERS])
        self.mean: NDArray[np.float64] = self.arrays["mean"] / MATRIX_UNIT  # [3K]
        self.basis: NDArray[np.float64] = self.arrays["basis"] / MATRIX_UNIT  # [3K, 3K]
        self.analysis = _inverse(self.basis)  # coefficients = (delta' - mean) @ analysis
        self.weights: list[list[int]] = self.arrays["weights"].tolist()

    @property
    def keypoints(self) -> int:
        """K, the number of keypoints these tables are for."""
        return len(self.mean) // 3

    def replaced(self, **arrays: NDArray[Any]) -> PredictiveTables:
        """The same with some arrays replaced."""
        return PredictiveTables({**self.arrays, **arrays})

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex of all arrays, big-endian, in the order of the class's docstring."""
        digest = hashlib.sha256()
        for name, (kind, _) in _SHAPES.items():
            digest.update(self.arrays[name].astype(f">{kind}").tobytes())
        return digest.hexdigest()

    @cached_property
    def early(self) -> NDArray[np.float64]:
        """How much short of half a step each component is rounded to its prediction, 0 to 0.4: [mode][3K+6].

        A step further costs -log2 d bits where residuals fall off by d a step. For the encoder alone.
        """
        decay = laplace_decay(SMALLEST * RATIO ** self.arrays["classes"].astype(np.float64))
        return np.asarray(np.minimum(-_TRADE * np.log2(decay), 0.4))

    @cached_property
    def models(self) -> list[list[list[Model]]]:
        """A coding model for [mode][component][context]; 192 are built once, in under 1 ms, and shared."""
        by_class = [[build_model(row) for row in contexts] for contexts in self.arrays["frequencies"]]
        return [[by_class[index] for index in row] for row in self.arrays["classes"].tolist()]


_SHAPES: Final[dict[str, tuple[str, str]]] = {  # name: stored kind, shape
    "scaled": ("u1", "1"),
    "steps": ("u4", "7"),
    "mean": ("i2", "3K"),
    "basis": ("i2", "3K,3K"),
    "classes": ("u1", f"{MODES},3K+6"),
    "weights": ("u2", f"{MODES},3K+6"),
    "frequencies": ("u2", f"{CLASSES},{CONTEXTS},{SYMBOLS}"),
}


def laplace_decay(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """How residuals fall off by a step, d, in the two-sided geometric law with mean magnitude 2 d / (1 - d^2) > 0."""
    return np.asarray((np.sqrt(1 + mean**2) - 1) / mean)


def _inverse(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.linalg.inv(basis), np.float64)
    except np.linalg.LinAlgError:
        raise TablesError("expected a basis that spans all deformations, got one that does not") from None


def _checked(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays in their stored kinds, read-only."""
    if set(arrays) != set(_SHAPES):
        raise TablesError(f"expected tables {', '.join(_SHAPES)}, got {', '.join(sorted(arrays)) or 'none'}")
    keypoints = arrays["mean"].size // 3
    if not 1 <= keypoints <= MAX_KEYPOINTS:
        raise TablesError(f"expected tables for 1 to {MAX_KEYPOINTS} keypoints, got {keypoints}")
    sizes = {"3K": 3 * keypoints, "3K+6": number_count(keypoints)}
    checked = {}
    for name, (kind, text) in _SHAPES.items():
        shape = tuple(sizes.get(size) or int(size) for size in text.split(","))
        checked[name] = _stored(name, arrays[name], kind, shape)
    _check_values(checked)
    return checked


def _stored(name: str, array: NDArray[Any], kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
        raise TablesError(f"expected {name} to be integers of shape {shape}, got {array.dtype} {array.shape}")
    limits = np.iinfo(kind)
    if array.min() < limits.min or array.max() > limits.max:
        raise TablesError(f"expected {name} from {limits.min} to {limits.max}, got {array.min()} to {array.max()}")
    stored = np.array(array, dtype=kind, order="C")  # safetensors writes memory as it lies
    stored.flags.writeable = False  # their hash and their models are kept
    return stored


def _check_values(arrays: Mapping[str, NDArray[Any]]) -> None:
    """What shapes and kinds do not say."""
    for name, least, most in (
        ("scaled", 0, 1),
        ("steps", 1, 255 * STEP_UNIT),
        ("classes", 0, CLASSES - 1),
        ("weights", 1, 0xFFFF),
        ("frequencies", 1, TABLE_SUM - SYMBOLS + 1),
    ):
        low, high = int(arrays[name].min()), int(arrays[name].max())
        if low < least or high > most:
            raise TablesError(f"expected {name} from {least} to {most}, got {low} to {high}")
    sums = arrays["frequencies"].sum(axis=-1, dtype=np.int64)
    if (sums != TABLE_SUM).any():
        raise TablesError(f"expected every row of frequencies to add up to {TABLE_SUM}, got {sums.min()}")
