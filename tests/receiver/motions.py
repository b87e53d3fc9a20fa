"""Motion and messages made for tests."""

import numpy as np

from codec.decoder import MediaMessage
from codec.encoder import Encoder
from codec.motion import Motion
from codec.tables import ByteTables

KEYPOINTS = 20
TABLES = ByteTables(np.full((6 * KEYPOINTS + 12, 256), 256))


def motion(time_s: float, seed: int = 0) -> Motion:
    """A small movement, the same for the same seed."""
    numbers = np.random.default_rng(seed).normal(size=3 * KEYPOINTS + 6) * 0.05
    return Motion.from_vector(numbers, time_s)


def media(number: int, frames: int = 2, period_s: float = 0.04) -> MediaMessage:
    """Message `number` of a call with so many frames in each; sequence wraps as on the wire."""
    return MediaMessage(number % 65536, tuple(motion((number * frames + index) * period_s) for index in range(frames)))


def encode(messages: int, frames: int = 2) -> list[bytes]:
    """The first messages of a call, as bytes."""
    encoder = Encoder(TABLES)
    return [encoder.encode(media(number, frames).motions) for number in range(messages)]
