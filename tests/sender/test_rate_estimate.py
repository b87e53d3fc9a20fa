"""rate_estimate.py: what acknowledgements say, with the clock in the test's hands."""

import pytest

from codec.acknowledgement import Acknowledgement
from sender.rate_estimate import LinkEstimate


def estimate(messages: int, each_s: float = 0.06, first: int = 0) -> LinkEstimate:
    link = LinkEstimate(first)
    for index in range(messages):
        link.sent(100, index * each_s)
    return link


def test_acknowledged_round_trip_is_of_the_newest() -> None:
    link = estimate(3)
    link.acknowledged(Acknowledgement(2, 0b11), 0.22)
    assert link.rtt_s == pytest.approx(0.1)
    assert link.queue_s == 0


def test_acknowledged_losses_are_judged_when_three_later_ones_have_come() -> None:
    link = estimate(6)
    link.acknowledged(Acknowledgement(3, 0b101), 0.3)  # 2 and 0 came, 1 did not
    assert (link.losses.count, link.losses.lost) == (1, 0)
    link.acknowledged(Acknowledgement(4, 0b1011), 0.35)
    assert (link.losses.count, link.losses.lost) == (2, 1)


def test_acknowledged_overtaken_messages_are_not_lost() -> None:
    link = estimate(8)
    link.acknowledged(Acknowledgement(3, 0b101), 0.3)
    link.acknowledged(Acknowledgement(3, 0b111), 0.32)
    link.acknowledged(Acknowledgement(7, 0b1111111), 0.5)
    assert link.losses.lost == 0


def test_acknowledged_of_what_no_acknowledgement_spoke_nothing_is_said() -> None:
    link = estimate(40)
    link.acknowledged(Acknowledgement(2, 0b11), 0.2)
    link.acknowledged(Acknowledgement(39, 0xFFFF), 2.5)
    assert (link.losses.count, link.losses.lost) == (17, 0)  # 0 to 2, and 23 to 36


def test_acknowledged_sequences_wrap() -> None:
    link = estimate(6, first=1021)
    link.acknowledged(Acknowledgement(1, 0b1111), 0.3)
    assert (link.losses.count, link.losses.lost) == (2, 0)
    assert link.rtt_s == pytest.approx(0.06)


def test_queue_is_how_much_longer_three_round_trips_were() -> None:
    link = estimate(30)
    for number, rtt_s in ((0, 0.1), (5, 0.3), (10, 0.35), (15, 0.4)):
        link.acknowledged(Acknowledgement(number, 0xFFFF), number * 0.06 + rtt_s)
    assert link.queue_s == pytest.approx(0.2)


def test_rebase_takes_the_new_way_for_the_shortest() -> None:
    link = estimate(30)
    for number, rtt_s in ((0, 0.1), (5, 0.4), (10, 0.4), (15, 0.4)):
        link.acknowledged(Acknowledgement(number, 0xFFFF), number * 0.06 + rtt_s)
    link.rebase(0.5)
    assert link.queue_s == 0
    assert link.spread_s(0.5) == pytest.approx((0.4, 0.4))


def test_delivered_counts_what_came_between_acknowledgements() -> None:
    link = estimate(40)
    for number in range(0, 40, 5):
        link.acknowledged(Acknowledgement(number, 0xFFFF), number * 0.06 + 0.1)
    assert link.delivered_kbps == pytest.approx(100 * 8 / 1000 / 0.06)


def test_silent_only_while_something_waits_for_an_answer() -> None:
    link = LinkEstimate()
    assert link.silent_s(100.0) == 0
    link.sent(100, 100.0)
    assert link.silent_s(101.0) == pytest.approx(1.0)
    link.acknowledged(Acknowledgement(0, 0), 101.0)
    assert link.silent_s(105.0) == 0
    link.sent(100, 105.0)
    assert link.silent_s(106.5) == pytest.approx(1.5)


def test_forget_queues_leaves_out_what_was_sent_before() -> None:
    link = estimate(40)
    link.acknowledged(Acknowledgement(0, 0), 0.1)
    link.forget_queues(2.0)
    link.acknowledged(Acknowledgement(10, 0), 2.6)
    assert link.rtt_s == pytest.approx(0.1)
    link.acknowledged(Acknowledgement(35, 0), 2.25)
    assert link.queue_s == pytest.approx(0.0, abs=0.06)
