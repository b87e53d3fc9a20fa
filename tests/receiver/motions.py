"""Motion and messages made for tests."""

import numpy as np

from codec.codec_tables import CodecTables
from codec.decoder import MediaMessage
from codec.encoder import Encoder
from codec.motion import Motion
from codec.wire import Profile

KEYPOINTS = 20
TABLES = CodecTables.default(KEYPOINTS)


def motion(time_s: float, seed: int = 0) -> Motion:
    """A small movement, the same for the same seed."""
    numbers = np.random.default_rng(seed).normal(size=3 * KEYPOINTS + 6) * 0.05
    return Motion.from_vector(numbers, time_s)


def media(number: int, frames: int = 2, period_s: float = 0.04) -> MediaMessage:
    """Message `number` of a call with so many frames in each; sequence wraps as on the wire."""
    return MediaMessage(number % 1024, tuple(motion((number * frames + index) * period_s) for index in range(frames)))


def encode(messages: int, frames: int = 2, repeat: int = 0, profile: Profile = Profile.PREDICTIVE) -> list[bytes]:
    """The first messages of a call, as bytes, each with the last frames of `repeat` earlier ones."""
    encoder = Encoder(TABLES, profile)
    return [encoder.encode(media(number, frames).motions, repeat=repeat) for number in range(messages)]
