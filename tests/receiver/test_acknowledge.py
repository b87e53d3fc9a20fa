"""acknowledge.py: when an acknowledgement is due."""

from codec.acknowledgement import Acknowledgement
from receiver.acknowledge import Acknowledger


def times_s(acknowledgement: Acknowledgement | None, messages: int = 16, each_s: float = 0.0625) -> list[float]:
    acknowledger = Acknowledger()
    told = [index * each_s for index in range(messages) if acknowledger.due(acknowledgement, index * each_s)]
    assert acknowledger.told == len(told)
    return told


def test_due_twice_a_second_while_all_comes() -> None:
    assert times_s(Acknowledgement(20, 0xFFFF)) == [0, 0.5]


def test_due_each_200_ms_or_the_next_message_after_while_some_is_lost() -> None:
    assert times_s(Acknowledgement(20, 0xFFFE)) == [0, 0.25, 0.5, 0.75]


def test_due_at_once_when_a_reference_is_lacking_and_then_twenty_times_a_second() -> None:
    acknowledger = Acknowledger()
    assert acknowledger.due(Acknowledgement(20, 0xFFFF), 1.0)
    assert acknowledger.due(Acknowledgement(20, 0xFFFF, lacking=True), 1.06)
    assert not acknowledger.due(Acknowledgement(20, 0xFFFF, lacking=True), 1.1)
    assert acknowledger.due(Acknowledgement(20, 0xFFFF, lacking=True), 1.12)


def test_due_never_before_a_message_came() -> None:
    assert times_s(None) == []
