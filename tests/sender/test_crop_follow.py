"""crop_follow.py: cases by hand. The picture has 1280x720 pixels, the square 380, its face 200."""

import math
from itertools import pairwise

import pytest

from models.face_finder import FaceBox
from sender.crop_follow import ACCELERATION, AWAY, LOST_S, RETURN, SPEED, Drift, Follower, State
from sender.crop_square import Square, place_square

HEIGHT, WIDTH = 720, 1280
START = Square(400, 150, 380)
FRAME_S = 1 / 30


def face(x: float = 590, y: float = 362, side: float = 200) -> FaceBox:
    return FaceBox(0.9, x, y, 0.8 * side, side)


def play(follower: Follower, seconds: float, begin_s: float = 0.0, seen: FaceBox | None = None) -> list[Square]:
    """Squares of the frames of some seconds; the finder sees `seen` in each tenth frame."""
    squares = []
    for index in range(round(seconds / FRAME_S)):
        time_s = begin_s + index * FRAME_S
        if index % 10 == 0 and seen is not None:
            follower.see(seen, time_s, HEIGHT, WIDTH)
        squares.append(follower.square_at(time_s))
    return squares


@pytest.mark.parametrize(("x", "y"), [(590, 362), (500, 362), (680, 362), (590, 270), (590, 410)])
def test_face_inside_the_square_does_not_move_at_all(x: int, y: int) -> None:
    follower = Follower(START)
    assert set(play(follower, 3, seen=face(x, y))) == {START}
    assert follower.path == [(0.0, START)]


def test_face_that_leaves_takes_the_square_with_it_to_the_very_place() -> None:
    follower = Follower(START)
    squares = play(follower, 4, seen=face(x=760))
    assert squares[0] == START
    assert squares[-1] == place_square(face(x=760), 380, HEIGHT, WIDTH) == Square(570, 149, 380)
    assert follower.state is State.HOLD
    assert len(set(squares[-30:])) == 1


def test_move_is_bounded_in_speed_and_smooth() -> None:
    squares = play(Follower(START), 4, seen=face(x=1100))
    speeds = [math.hypot(b.left - a.left, b.top - a.top) / a.side / FRAME_S for a, b in pairwise(squares)]
    assert max(speeds) <= SPEED * 1.001
    assert max(speeds) > 0.9 * SPEED  # 510 px are far enough to reach it
    changes = [abs(later - earlier) for earlier, later in pairwise(speeds)]
    assert max(changes) <= ACCELERATION * FRAME_S * 1.5
    assert squares[-1] == place_square(face(x=1100), 380, HEIGHT, WIDTH)
    lefts = [square.left for square in squares]
    assert lefts == sorted(lefts)  # straight there, never past it


def test_path_is_every_change_and_nothing_else() -> None:
    follower = Follower(START)
    squares = play(follower, 3, seen=face(x=760))
    assert follower.path[0] == (0.0, START)
    assert [square for _, square in follower.path[1:]] == [b for a, b in pairwise(squares) if a != b]


def test_face_that_walks_on_is_followed_all_the_way() -> None:
    follower = Follower(START)
    for index in range(150):  # 60 px a second
        walking = face(x=700 + 2 * index)
        follower.see(walking, index * FRAME_S, HEIGHT, WIDTH)
        square = follower.square_at(index * FRAME_S)
        assert square.left < walking.centre_x - 80
        assert walking.centre_x + 80 < square.left + square.side + 40
    assert square.left > 700


def test_face_that_comes_nearer_makes_the_square_grow_smoothly() -> None:
    squares = play(Follower(START), 4, seen=face(side=330))
    assert squares[-1].side == round(1.9 * 330)
    assert all(math.log(b.side / a.side) <= SPEED * FRAME_S * 1.001 for a, b in pairwise(squares))
    assert any(a.side < 500 < b.side + 60 for a, b in pairwise(squares))


def test_face_that_turns_small_in_a_whole_head_crop_moves_nothing() -> None:
    """A clip that is a head crop: the square is the whole picture, and there is nowhere to go."""
    follower = Follower(Square(0, 0, 256))
    for index, x in enumerate((128, 60, 30, 220, 128)):
        follower.see(FaceBox(0.9, x, 130, 90, 110), index * 0.3, 256, 256)
        assert follower.square_at(index * 0.3) == Square(0, 0, 256)


def test_square_at_the_border_of_the_picture_has_nowhere_to_go() -> None:
    follower = Follower(Square(900, 150, 380))
    assert set(play(follower, 2, seen=face(x=1270))) == {Square(900, 150, 380)}


def test_face_lost_the_square_waits() -> None:
    follower = Follower(START)
    play(follower, 1, seen=face())
    for index in range(90):
        follower.see(None, 1 + index * FRAME_S, HEIGHT, WIDTH)
        assert follower.square_at(1 + index * FRAME_S) == START


def test_face_lost_and_back_inside_the_square_stays() -> None:
    follower = Follower(START)
    play(follower, 1, seen=face())
    follower.see(None, 1.2, HEIGHT, WIDTH)
    assert set(play(follower, 1, begin_s=3, seen=face(x=620))) == {START}


def test_face_lost_and_back_elsewhere_is_found_at_once() -> None:
    follower = Follower(START)
    play(follower, 1, seen=face())
    follower.see(None, 1.2, HEIGHT, WIDTH)
    follower.see(None, 1.6, HEIGHT, WIDTH)
    follower.see(face(x=1000, y=400), 2.0, HEIGHT, WIDTH)
    assert follower.square_at(2.0) == place_square(face(x=1000, y=400), 380, HEIGHT, WIDTH)
    assert follower.state is State.HOLD


def test_face_out_of_the_square_that_was_seen_just_before_is_followed_without_a_jump() -> None:
    follower = Follower(START)
    play(follower, 1, seen=face())
    follower.see(None, 1.0, HEIGHT, WIDTH)
    follower.see(face(x=1000, y=400), 1 + LOST_S / 2, HEIGHT, WIDTH)
    square = follower.square_at(1 + LOST_S / 2)
    assert square.left - START.left <= SPEED * 0.1 * START.side
    assert follower.state is State.MOVE


def test_gap_in_the_frames_is_no_jump() -> None:
    follower = Follower(START)
    follower.see(face(x=1000), 0.0, HEIGHT, WIDTH)
    follower.square_at(0.0)
    assert follower.square_at(20.0).left - START.left <= SPEED * 0.1 * START.side


def test_move_that_turns_back_brakes_first() -> None:
    follower = Follower(START)
    out = play(follower, 0.5, seen=face(x=1000))
    back = play(follower, 4, begin_s=0.5, seen=face(x=500))
    lefts = [square.left for square in out + back]
    speeds = [(b - a) / 380 / FRAME_S for a, b in pairwise(lefts)]
    assert max(abs(b - a) for a, b in pairwise(speeds)) <= ACCELERATION * FRAME_S * 1.5
    assert back[-1] == place_square(face(x=500), 380, HEIGHT, WIDTH)


class Person:
    """A head that walks about in a picture, as networks see it that are never wrong."""

    def __init__(self, follower: Follower, x: float = 590, y: float = 340, size: float = 1.0) -> None:
        self.follower = follower
        self.x, self.y, self.size = x, y, size
        self.squares: list[Square] = []
        self.drifts: list[Drift] = []
        self._home = self._in_square()
        follower.head(Drift(0.0, 0.0, 0.0), 0.0, HEIGHT, WIDTH)

    def _in_square(self) -> tuple[float, float, float]:
        square = self.follower.square
        left, top = (self.x - square.left) / square.side, (self.y - square.top) / square.side
        return left, top, math.log(self.size / square.side)

    def live(self, seconds: float, to: tuple[float, float] | None = None, seen: FaceBox | None = None) -> None:
        """Go to a place in a straight line, 30 frames a second; the finder sees `seen`, or a face where the head is."""
        start, end, begin_s = (self.x, self.y), to or (self.x, self.y), len(self.squares) * FRAME_S
        for index in range(round(seconds / FRAME_S)):
            share, time_s = (index + 1) * FRAME_S / seconds, begin_s + index * FRAME_S
            self.x, self.y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            if index % 10 == 0:
                self.follower.see(seen or face(self.x, self.y + 22), time_s, HEIGHT, WIDTH)
            self.squares.append(self.follower.square_at(time_s))
            self.drifts.append(Drift(*(now - home for now, home in zip(self._in_square(), self._home, strict=True))))
            self.follower.head(self.drifts[-1], time_s, HEIGHT, WIDTH)


def test_head_about_its_place_moves_nothing() -> None:
    person = Person(Follower(START))
    for to in ((610, 340), (570, 350), (590, 320)):  # 30 px are 8 % of the side
        person.live(1, to)
    assert set(person.squares) == {START}


def test_nod_moves_nothing() -> None:
    person = Person(Follower(START))
    person.live(0.15, (590, 390))
    person.live(0.15, (590, 340))
    person.live(1)
    assert set(person.squares) == {START}


def test_head_that_stays_away_from_its_place_is_taken_back_to_it() -> None:
    person = Person(Follower(START))
    person.live(0.5, (640, 340))
    person.live(3)
    assert abs(person.drifts[-1].x) < 0.005
    assert person.squares[-1] == Square(450, 150, 380)
    lefts = [square.left for square in person.squares]
    assert lefts == sorted(lefts)
    fastest = RETURN * 50 * FRAME_S  # the head's way; a square that follows a face that leaves may go twice as fast
    assert max(b - a for a, b in pairwise(lefts)) <= fastest < SPEED * START.side * FRAME_S


def test_head_that_walks_is_never_far_from_its_place() -> None:
    person = Person(Follower(START))
    person.live(3, (960, 340))  # a side in three seconds
    away = [math.hypot(drift.x, drift.y) for drift in person.drifts]
    assert max(away) < 2.5 * AWAY  # it waits until twice, then speeds up
    assert max(away[45:]) < 0.33 / RETURN + 0.02  # as far behind as that speed takes
    person.live(2)
    assert math.hypot(*person.drifts[-1][:2]) < 0.01


def test_head_that_leans_back_takes_the_square_smaller_with_it() -> None:
    person = Person(Follower(START))
    person.size = math.exp(-0.3)
    person.live(3)
    assert person.squares[-1].side == pytest.approx(380 * math.exp(-0.3), rel=0.02)
    assert abs(person.drifts[-1].size) < 0.02


def test_networks_that_are_a_little_wrong_about_the_size_change_none() -> None:
    person = Person(Follower(START))
    person.size = math.exp(0.1)
    person.live(0.5, (640, 340))
    person.live(3)
    assert person.squares[-1] == Square(450, 150, 380)


def test_face_near_the_border_in_its_place_is_left_there() -> None:
    """A source picture with the head aside: finder and networks do not pull the square to and fro."""
    person = Person(Follower(START), x=690)
    person.live(4)
    assert set(person.squares) == {START}
    person.live(0.5, (750, 340))
    person.live(4)
    assert person.squares[-1] == person.squares[-30] == Square(460, 150, 380)


def test_finder_overrules_networks_that_see_a_head_where_none_is() -> None:
    person = Person(Follower(START))
    person.live(1)
    person.live(3, seen=face(x=800))
    assert person.squares[-1].left > 500


def test_head_aside_at_the_border_of_the_picture_has_nowhere_to_go() -> None:
    follower = Follower(Square(900, 150, 380))
    person = Person(follower, x=1090)
    person.live(0.5, (1190, 340))
    person.live(2)
    assert set(person.squares) == {Square(900, 150, 380)}


def test_networks_that_see_nothing_move_nothing() -> None:
    follower = Follower(START)
    follower.head(Drift(math.nan, math.nan, math.nan), 0.0, HEIGHT, WIDTH)
    assert set(play(follower, 1)) == {START}
