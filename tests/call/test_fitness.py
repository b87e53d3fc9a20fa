"""fitness.py: looks become a reason only where most of them agree for some seconds."""

import pytest

from call.fitness import HAND_S, RULES, Fitness, Reason
from call.likeness import Unlikeness

ALIKE = Unlikeness(light=0.02, back=0.01, cover=0.1)
EACH_S = 2.0


def looks(
    fitness: Fitness, seconds: float, unlike: Unlikeness | None = ALIKE, turned: float = 0.0, at: float = 0.0
) -> float:
    """Look each two seconds; returns when the next look is due."""
    for step in range(round(seconds / EACH_S)):
        fitness.look(unlike, turned, at + step * EACH_S)
    return at + seconds


def standing(fitness: Fitness) -> Reason | None:
    """Its reason; a call, so that mypy does not take it to stay what it was."""
    return fitness.reason


UNLIKE = {
    Reason.LIGHT: (ALIKE._replace(light=0.5), 0.0),
    Reason.BACKGROUND: (ALIKE._replace(back=0.1), 0.0),
    Reason.COVERED: (ALIKE._replace(cover=0.5), 0.0),
    Reason.TURNED: (ALIKE, 40.0),
}


@pytest.mark.parametrize("reason", Reason)
def test_what_stays_unlike_becomes_its_reason_and_goes_with_it(reason: Reason) -> None:
    fitness = Fitness()
    unlike, turned = UNLIKE[reason]
    at = looks(fitness, 20.0)
    assert standing(fitness) is None
    at = looks(fitness, 2.0, unlike, turned, at)
    assert standing(fitness) is None  # one look proves nothing
    at = looks(fitness, RULES[reason].persist_s + 6.0, unlike, turned, at)
    assert standing(fitness) is reason
    looks(fitness, 6.0, at=at)
    assert standing(fitness) is None


@pytest.mark.parametrize("reason", Reason)
def test_what_comes_and_goes_is_none(reason: Reason) -> None:
    fitness = Fitness()
    unlike, turned = UNLIKE[reason]
    at = 0.0
    for _ in range(20):
        at = looks(fitness, 4.0, unlike, turned, at)
        assert standing(fitness) is None
        at = looks(fitness, 2.0, at=at)
        assert standing(fitness) is None


def test_face_that_is_never_rendered_well_is_judged_by_what_is_usual_for_it() -> None:
    fitness = Fitness()
    at = 0.0
    for step in range(60):  # it becomes worse slowly: a turn, another light
        at = looks(fitness, 2.0, ALIKE._replace(cover=0.1 + 0.005 * step), at=at)
        assert standing(fitness) is None
    looks(fitness, 12.0, ALIKE._replace(cover=0.75), at=at)
    assert standing(fitness) is Reason.COVERED


def test_turned_head_is_no_hand_before_a_face() -> None:
    fitness = Fitness()
    looks(fitness, 16.0, ALIKE._replace(cover=0.6), turned=45.0)
    assert standing(fitness) is Reason.TURNED


def test_hand_hides_until_it_has_been_there_for_long() -> None:
    fitness = Fitness()
    covered = ALIKE._replace(cover=0.5)
    at = looks(fitness, 20.0)
    assert not fitness.hidden(at)
    at = looks(fitness, 10.0, covered, at=at)
    assert standing(fitness) is Reason.COVERED
    assert fitness.hidden(at)
    at = looks(fitness, HAND_S, covered, at=at)
    assert standing(fitness) is Reason.COVERED
    assert not fitness.hidden(at)


def test_face_that_cannot_be_compared_says_nothing_but_its_turn() -> None:
    fitness = Fitness()
    looks(fitness, 30.0, None)
    assert standing(fitness) is None
    looks(fitness, 30.0, None, turned=60.0, at=30.0)
    assert standing(fitness) is Reason.TURNED


def test_reason_that_comes_back_at_once_is_waited_for_ever_longer() -> None:
    fitness, unlike = Fitness(), ALIKE._replace(back=0.2)
    at, waits = 0.0, []
    for _ in range(4):
        began = at
        while fitness.look(unlike, 0.0, at) is None:
            at += EACH_S
        waits.append(at - began)
        fitness.renewed(at)
        at += EACH_S
    assert waits[0] < 7
    assert waits == sorted(waits)
    assert waits[-1] > 8 * waits[0]


def test_new_picture_is_judged_anew() -> None:
    fitness = Fitness()
    at = looks(fitness, 30.0, ALIKE._replace(light=0.5))
    assert standing(fitness) is Reason.LIGHT
    fitness.renewed(at)
    assert standing(fitness) is None
    looks(fitness, 4.0, ALIKE._replace(light=0.5), at=at)
    assert standing(fitness) is None
