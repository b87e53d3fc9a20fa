"""face_words.py: what a person is told of their own picture, before a call and in one."""

import numpy as np
import pytest

from call.face_words import face_message
from call.seen import Seen
from sender.crop_square import Square


def seen(light: int | None = 120, side: int | None = 300) -> Seen:
    """A crop of this light, from a square of this side; None: no face, no square."""
    crop = None if light is None else np.full((64, 64, 3), light, np.uint8)
    return Seen(0.9, None if side is None else Square(0, 0, side), None, crop, 1.0)


@pytest.mark.parametrize(
    ("picture", "before", "on_air"),
    [
        (seen(), "", ""),
        (seen(light=None, side=None), "no face is seen yet", "no face is seen yet"),
        (seen(light=None), "bring it back into the oval", "the other side sees your last picture"),
        (seen(light=20), "in the dark", ""),
        (seen(light=240), "too much light", ""),
        (seen(side=120), "come closer", ""),
    ],
)
def test_words_say_what_to_do(picture: Seen, before: str, on_air: str) -> None:
    for there, words in ((False, before), (True, on_air)):
        message = face_message(picture, there)
        assert words in message.words
        assert bool(message.words) is bool(words)
        assert message.found is (picture.crop is not None)
    assert "other side" not in face_message(picture, False).words, "nobody is there yet"
