"""What an encoder builds on: chain, repeats, acknowledged states, nothing."""

from __future__ import annotations

from codec import Acknowledgement, Level
from codec.chain import Frame, State
from codec.references import References


def after(*numbers: int) -> References:
    """References after messages of these numbers were coded."""
    references = References()
    for number in numbers:
        references.keep(State(number, Level.HIGH, 40, Frame(number * 80, [0])), number)
    return references


def choice(references: References, number: int, repeat: int = 0) -> tuple[int | None, list[int]]:
    base, repeated = references.choose(number, repeat)
    return None if base is None else base.number, [state.number for state in repeated]


def received(newest: int, *lost: int, lacking: bool = False) -> Acknowledgement:
    bits = sum(1 << bit for bit in range(16) if newest - 1 - bit >= 0 and newest - 1 - bit not in lost)
    return Acknowledgement(newest % 1024, bits, lacking)


def test_first_message_builds_on_nothing() -> None:
    assert choice(after(), 0) == (None, [])
    assert choice(after(), 0, repeat=3) == (None, [])


def test_chain_and_repeats() -> None:
    references = after(*range(10))
    assert choice(references, 10) == (9, [])
    assert choice(references, 10, repeat=1) == (8, [9])
    assert choice(references, 10, repeat=3) == (6, [7, 8, 9])


def test_thinner_repeats_reach_as_far_back() -> None:
    references = after(*range(10))
    for repeat, each, expected in ((3, 2, (6, [7, 9])), (4, 2, (5, [7, 9])), (3, 3, (6, [9])), (1, 9, (8, [9]))):
        base, repeated = references.choose(10, repeat, each)
        assert base is not None
        assert (base.number, [state.number for state in repeated]) == expected
    base, repeated = after(0, 1, 2).choose(3, 5, 2)
    assert (base, [state.number for state in repeated]) == (None, [0, 2])


def test_messages_without_motion_are_stepped_over() -> None:
    assert choice(after(0, 3, 7), 9, repeat=1) == (3, [7])


def test_repeats_that_reach_back_to_the_start_build_on_nothing() -> None:
    assert choice(after(0, 1), 2, repeat=2) == (None, [0, 1])


def test_what_is_acknowledged_is_not_repeated() -> None:
    references = after(*range(10))
    references.take(received(8), 10)
    assert choice(references, 10, repeat=3) == (8, [9])
    references.take(received(9), 10)
    assert choice(references, 10, repeat=3) == (9, [])


def test_a_state_too_old_is_not_built_on() -> None:
    assert choice(after(0), 64) == (0, [])
    assert choice(after(0), 65) == (None, [])


def test_lacking_falls_back_on_what_is_held_until_a_newer_message_is() -> None:
    references = after(*range(10))
    references.take(received(6, 5, lacking=True), 10)
    assert choice(references, 10, repeat=2) == (6, [])
    references.keep(State(10, Level.HIGH, 40, Frame(800, [0])), 10)
    assert choice(references, 11) == (6, [])  # 10 may be lost as well
    references.take(received(6, 5, lacking=True), 11)  # said before 10 came
    assert choice(references, 11) == (6, [])
    references.take(received(10, 9, 8, 7, 5), 11)
    assert choice(references, 11) == (10, [])


def test_lacking_with_nothing_held_begins_anew() -> None:
    references = after(*range(5))
    references.take(Acknowledgement(-1, 0, lacking=True), 5)
    assert choice(references, 5) == (None, [])
    references.take(received(5, 0, 1, 2, 3, 4), 6)
    references.keep(State(5, Level.HIGH, 40, Frame(400, [0])), 5)
    assert choice(references, 6) == (5, [])


def test_nothing_held_is_old_news_once_something_is() -> None:
    references = after(*range(5))
    references.take(received(4), 5)
    references.take(Acknowledgement(-1, 0, lacking=True), 5)
    assert choice(references, 5) == (4, [])


def test_old_and_impossible_acknowledgements_count_for_nothing() -> None:
    references = after(*range(10))
    references.take(received(8), 10)
    references.take(received(3, lacking=True), 10)
    references.take(received(10, lacking=True), 10)
    assert choice(references, 10, repeat=9) == (8, [9])


def test_acknowledgements_of_what_is_forgotten_are_no_states() -> None:
    references = after(*range(0, 200, 2))
    references.take(Acknowledgement(100, 0xFFFF, lacking=True), 200)
    assert choice(references, 200) == (None, [])
