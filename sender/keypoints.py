"""How many keypoints' deltas are worth sending (FV2V C.2): they are ordered by importance, and the tail of a face at
rest says little.

A receiver puts a keypoint whose delta does not come where the head alone puts it: delta = 0, as in training
(models/training/dropout.py). It then lies off by what delta would have moved it in the picture:

    error(n) = 1/K sum over k >= n of |exp(t_z) (delta_k)_xy| 128 px      (256 px; without exp(t_z) in `paper`, eq. 1)

the mean over all K keypoints, those that are sent being right. Sent are the fewest whose error stays within what is
allowed. Fewer only after they would have done for a second: a tail that comes and goes makes a face tremble.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codec.motion import Motion
from codec.wire import Level, Profile
from models.config import ModelConfig
from models.presets import Config
from sender.errors import InputError

LARGEST_DROPOUT: Final = 0.75
"""Of the keypoints: training leaves out no more, so no more are left out by themselves."""
HOLD_S: Final = 1.0
ALLOWED_PX: Final = {Level.HIGH: 0.25, Level.MEDIUM: 0.5, Level.LOW: 1.0}
"""Of error, where their number adapts; the levels' pixels are those of profile `predictive`."""
_PX: Final = 128.0  # of a crop unit in a picture of 256 px


class KeypointChoice:
    """Says for each message how many keypoints' deltas it carries: always as many, or as few as are allowed."""

    def __init__(self, config: Config, keypoints: int | None = None, allowed_px: float | None = None) -> None:
        """Send always so many `keypoints` (None: all), or as few as keep the error within `allowed_px`, where given."""
        self._config = config
        self._always = keypoints
        self._allowed_px = allowed_px
        self._needed: list[tuple[float, int]] = []  # (capture time in s, number) of the last second's frames

    def choose(self, motions: Sequence[Motion]) -> int | None:
        """The number for a message of these frames, which follow those of the message before; None for all."""
        if self._allowed_px is None:
            return self._always
        for motion in motions:
            errors_px = dropped_px(motion, self._config)
            self._needed.append((motion.capture_time_s, fewest(errors_px, self._allowed_px)))
        end_s = motions[-1].capture_time_s
        self._needed = [entry for entry in self._needed if entry[0] > end_s - HOLD_S]
        return max(number for _, number in self._needed)


def read_choice(text: str, profile: Profile, config: Config, level: Level) -> KeypointChoice:
    """Read `all`, `adaptive` (to within the level's pixels) or a number from 1 to K. Raises InputError."""
    if text == "all":
        return KeypointChoice(config)
    if profile is not Profile.PAPER:
        raise InputError(f"--keypoints: expected all, which is all that profile predictive sends, got {text!r}")
    if text == "adaptive":
        return KeypointChoice(config, allowed_px=ALLOWED_PX[level])
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= config.keypoints:
        raise InputError(f"--keypoints: expected all, adaptive or 1 to {config.keypoints}, got {text!r}")
    return KeypointChoice(config, number)


def dropped_px(motion: Motion, config: Config) -> NDArray[np.float64]:
    """error(n) in px of a picture of 256 px for n = 0 ... K: [K+1], never rising, 0 at the end."""
    scale = np.exp(float(motion.t[2])) if isinstance(config, ModelConfig) else 1.0
    moved = scale * np.linalg.norm(motion.delta[:, :2].astype(np.float64), axis=1) * _PX  # [K]
    tails = np.cumsum(moved[::-1])[::-1] / len(moved)
    return np.append(tails, 0.0)


def fewest(errors_px: NDArray[np.float64], allowed_px: float) -> int:
    """The smallest n with error(n) <= allowed_px, but no less than training knows."""
    keypoints = len(errors_px) - 1
    trained = keypoints - int(LARGEST_DROPOUT * keypoints)
    return max(int(np.argmax(errors_px <= allowed_px)), trained)
