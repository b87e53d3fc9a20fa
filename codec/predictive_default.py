"""Tables of `predictive` that know no model: sensible steps, no transform, Laplace frequencies."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from codec.motion import number_count
from codec.predictive_tables import (
    CLASSES,
    LARGEST_SYMBOL,
    LEVELS,
    MATRIX_UNIT,
    RATIO,
    SMALLEST,
    STEP_UNIT,
    WEIGHT_UNIT,
    PredictiveTables,
    laplace_decay,
)
from codec.residual import RUN_LIMITS
from codec.symbols import integer_shares

STEPS: Final = (1.0, 1.0, 1.0, 0.02, 0.02, 0.02, 0.005)  # degrees, crop units, log-scale; 0.64 px at 256 px


def default_tables(keypoints: int, scaled: bool = True) -> PredictiveTables:
    """Tables for any model of K keypoints. Args: scaled: whether t_z is log-scale (`compact`) or depth (`paper`)."""
    count, unit = number_count(keypoints), 3 * keypoints
    usual = np.array([2.0**-level for level in range(LEVELS)] + [12.0 * 2.0**-level for level in range(LEVELS)])
    sizes = np.repeat(usual[:, None], count, axis=1)  # [modes, 3K+6] mean magnitude of residuals
    return PredictiveTables(
        {
            "scaled": np.array([int(scaled)]),
            "steps": np.rint(np.array(STEPS) * STEP_UNIT).astype(np.int64),
            "mean": np.zeros(unit, np.int64),
            "basis": np.eye(unit, dtype=np.int64) * MATRIX_UNIT,
            "classes": classes_of(sizes),
            "weights": weights_of(sizes),
            "frequencies": integer_shares(laplace_weights()),
        }
    )


def classes_of(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class of components by the mean magnitude of their residuals, in steps."""
    index = np.rint(np.log(np.maximum(sizes, SMALLEST) / SMALLEST) / np.log(RATIO))
    return np.asarray(np.clip(index, 0, CLASSES - 1), np.int64)


def weights_of(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """What makes residuals of all components comparable: 2^10 by their mean magnitude."""
    return np.asarray(np.clip(np.rint(WEIGHT_UNIT / np.maximum(sizes, 1 / 32)), 1, 0xFFFF), np.int64)


def laplace_weights() -> NDArray[np.int64]:
    """Frequencies that a two-sided geometric law gives each class and context: [CLASSES, CONTEXTS, SYMBOLS]."""
    sizes = SMALLEST * RATIO ** np.arange(CLASSES)
    ends = np.array([0.1, *(limit / WEIGHT_UNIT for limit in RUN_LIMITS), 3.6])
    mean = sizes[:, None] * np.sqrt(ends[:-1] * ends[1:])  # [CLASSES, CONTEXTS]: residuals are as large as before
    decay = laplace_decay(mean)
    magnitude = np.concatenate(([0], np.repeat(np.arange(1, LARGEST_SYMBOL + 1), 2)))
    share = decay[..., None] ** magnitude * ((1 - decay) / (1 + decay))[..., None]
    escape = 1 - share.sum(axis=-1, keepdims=True)
    return 1 + np.asarray(np.rint(np.concatenate((share, np.maximum(escape, 0)), axis=-1) * (1 << 20)), np.int64)
