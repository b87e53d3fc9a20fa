"""crop_watch.py: when the finder looks, and who hears of it."""

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest

from models.face_finder import FaceBox
from sender.camera import Frame, Image
from sender.crop_follow import Follower
from sender.crop_square import Square
from sender.crop_watch import CALM_S, FORGET_S, FaceWatch

FACE = FaceBox(0.9, 160, 120, 50, 60)
NOBODY = FaceBox(0.1, 0, 0, 10, 10)


def frame(time_s: float) -> Frame:
    return Frame(np.zeros((240, 320, 3), np.uint8), time_s)


class Later(Executor):
    """A thread whose work is done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any, tuple[Any, ...]]] = []

    def submit(self, work: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        self.waiting.append((Future(), work, arguments))
        return self.waiting[-1][0]

    def do(self) -> None:
        future, work, arguments = self.waiting.pop(0)
        future.set_result(work(*arguments))


class Heard(Follower):
    """A follower that writes down what it hears."""

    def __init__(self) -> None:
        super().__init__(Square(100, 50, 120))
        self.seen: list[tuple[FaceBox | None, float]] = []

    def see(self, face: FaceBox | None, time_s: float, height: int, width: int) -> None:
        assert (height, width) == (240, 320)
        self.seen.append((face, time_s))


def times_of_looks(face: FaceBox, seconds: float = 2.0) -> list[float]:
    heard = Heard()
    watch = FaceWatch(lambda image, near: face, 0.5)
    for index in range(round(seconds * 50)):
        watch.look(frame(index / 50), heard)
    return [time_s for _, time_s in heard.seen]


def test_look_calmly_while_the_face_is_there() -> None:
    assert times_of_looks(FACE) == pytest.approx([0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8])


def test_look_often_while_nobody_is_there() -> None:
    assert len(times_of_looks(NOBODY)) in (19, 20)  # each 0.1 s, in frames of 0.02 s


def test_nobody_is_told_as_none() -> None:
    heard = Heard()
    FaceWatch(lambda image, near: NOBODY, 0.5).look(frame(0), heard)
    assert heard.seen == [(None, 0)]


def test_a_thread_is_never_waited_for_and_its_answer_is_of_the_frame_it_saw() -> None:
    thread, heard = Later(), Heard()
    watch = FaceWatch(lambda image, near: FACE, 0.5, thread)
    for index in range(50):
        watch.look(frame(index / 25), heard)
    assert len(thread.waiting) == 1  # one look at a time, however long it takes
    assert heard.seen == []
    thread.do()
    watch.look(frame(2.0), heard)
    assert heard.seen == [(FACE, 0.0)]


def test_an_error_of_the_thread_is_not_lost() -> None:
    def broken(image: Image, near: FaceBox | None) -> FaceBox:
        raise ValueError("broken")

    thread = Later()
    watch = FaceWatch(broken, 0.5, thread)
    watch.look(frame(0), Heard())
    future, work, arguments = thread.waiting[0]
    try:
        work(*arguments)
    except ValueError as error:
        future.set_exception(error)
    with pytest.raises(ValueError, match="broken"):
        watch.look(frame(0.04), Heard())


def test_the_face_that_was_followed_is_asked_for_until_it_is_long_gone() -> None:
    asked: list[FaceBox | None] = []
    faces = [FACE, FACE] + [NOBODY] * 40

    def find(image: Image, near: FaceBox | None) -> FaceBox:
        asked.append(near)
        return faces[len(asked) - 1]

    watch, heard = FaceWatch(find, 0.5), Heard()
    times = [index / 25 for index in range(60)]
    for time_s in times:
        watch.look(frame(time_s), heard)
    assert asked[0] is None
    assert asked[1] == FACE
    for near, (_, time_s) in zip(asked[1:], heard.seen[1:], strict=True):
        assert (near is None) == (time_s >= CALM_S + FORGET_S), time_s
    assert asked[-1] is None


@pytest.mark.parametrize(("score", "nobody"), [(0.1, True), (0.3, False)])
def test_nobody_after_half_a_second_without_anything_like_a_face(score: float, nobody: bool) -> None:
    """0.3 of the 0.5 that are needed is too little to follow, and too much to say that nobody is there."""
    watch, heard = FaceWatch(lambda image, near: FaceBox(score, 0, 0, 10, 10), 0.5), Heard()
    verdicts = []
    for index in range(50):
        watch.look(frame(index / 50), heard)
        verdicts.append(watch.nobody)
    assert verdicts.index(True) in range(25, 32) if nobody else not any(verdicts)


def test_nobody_is_over_with_the_first_face() -> None:
    scores = [0.0] * 10 + [0.9] * 40
    watch, heard = FaceWatch(lambda image, near: FaceBox(scores.pop(0), 160, 120, 50, 60), 0.5), Heard()
    verdicts = []
    for index in range(100):
        watch.look(frame(index / 50), heard)
        verdicts.append(watch.nobody)
    assert any(verdicts)
    assert not verdicts[-1]
