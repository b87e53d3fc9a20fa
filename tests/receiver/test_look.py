"""look.py: what the options say."""

import pytest

from receiver.errors import ReceiverError
from receiver.look import Look, read_look, read_view


def test_read_view() -> None:
    assert read_view("20,-5") == (20.0, -5.0, 0.0)
    assert read_view("-20, 5.5, 90") == (-20.0, 5.5, 90.0)


@pytest.mark.parametrize("words", ["20", "1,2,3,4", "left,up", "nan,0", "91,0", ",", "1,2,"])
def test_view_that_is_none(words: str) -> None:
    with pytest.raises(ReceiverError, match=r"--view: expected YAW,PITCH or YAW,PITCH,ROLL in degrees, -90 to 90, got"):
        read_view(words)


def test_look_without_options_is_the_heads_own() -> None:
    assert read_look() == Look()
    assert not Look(size=512).free
    assert read_look("0,5").free
    assert read_look(frontalise=True).free
