"""rate.py on recorded and constructed links: what it does, how soon, and that it then keeps still."""

from itertools import pairwise
from pathlib import Path

import pytest

from codec.acknowledgement import Acknowledgement
from codec.wire import Level
from replay.link import Link, LinkPiece, LinkTrace, load_trace
from sender.loss_policy import DEEPEST
from sender.rate import UP_BELOW, Plan, RateController
from sender.rate_ladder import build_ladder
from tests.sender.simulated_rate import FRAME_BYTES, Simulation

LINKS = Path(__file__).parents[1] / "vectors/links"


def simulate(name: str, until_s: float, scale: float = 1.0, max_kbps: float = 30.0, **options: float) -> Simulation:
    controller = RateController(25.0, 20, max_kbps)
    if "sound" in options:
        controller.expect_sound(options["sound"])
    return Simulation(load_trace(LINKS / f"{name}.json").scaled(scale), controller).run(until_s)


def test_plan_begins_at_60_ms_expecting_loss_at_high() -> None:
    plan = RateController(25.0, 20).plan(0.0)
    assert (plan.interval_s, plan.repeat, plan.frame_rate, plan.level) == (0.06, 6, 25.0, Level.HIGH)
    assert plan.keypoints is None


def test_plan_begins_at_two_frames_a_message_of_thirty_frames_too() -> None:
    plan = RateController(30.0, 20).plan(0.0)
    assert 1 / plan.frame_rate < plan.interval_s <= 2 / plan.frame_rate


def test_plan_a_good_link_gets_short_messages_without_repeats_and_nothing_changes_then() -> None:
    run = simulate("steady", 40)
    end = run.plans[-1][1]
    assert (end.interval_s, end.repeat, end.frame_rate, end.level) == (0.02, 0, 25.0, Level.HIGH)
    assert run.plans[-1][0] < 8
    assert 20 < run.kbps(10, 40) < 25


@pytest.mark.parametrize("max_kbps", [30, 18, 12, 8, 5])
def test_plan_stays_within_the_budget(max_kbps: float) -> None:
    run = simulate("steady", 25, max_kbps=max_kbps)
    assert run.kbps(2, 25) <= max_kbps
    assert len(run.plans) <= 7


def test_plan_gives_up_what_the_budget_asks_for_in_the_order_of_the_ladder() -> None:
    ladder = [rung for rung in build_ladder(25.0, 20) if rung.most_repeats == DEEPEST]
    for dearer, rung in pairwise(ladder):
        between = 0.4 * dearer.kbps(0, FRAME_BYTES, 20) + 0.6 * rung.kbps(0, FRAME_BYTES, 20)
        plan = simulate("steady", 25, max_kbps=between / UP_BELOW).plans[-1][1]
        assert (plan.interval_s, plan.frame_rate, plan.level) == (rung.interval_s, rung.frame_rate, rung.level)


def test_plan_keypoints_go_last_and_only_where_the_profile_can() -> None:
    for can, keypoints in ((False, None), (True, 5)):
        controller = RateController(25.0, 20, max_kbps=1, fewer_keypoints=can)
        plan = [controller.plan(0.0), controller.plan(0.04)][-1]
        assert (plan.level, plan.keypoints) == (Level.LOW, keypoints)


def test_plan_step_down_to_20_kbps_is_followed_within_two_seconds_and_undone() -> None:
    run = simulate("step_to_20_kbps", 60)
    assert run.plan_at(9.9).interval_s == 0.02
    assert run.plan_at(12.0).interval_s == 0.06
    assert run.kbps(12, 19) < 20
    assert run.slowest_ms(13, 40) < 350
    assert run.loss(10, 40) == 0
    # 21 kbps are tried again only after a while, and then less often
    changes_s = [at_s for at_s, plan in run.plans if 12 < at_s < 40 and plan.interval_s == 0.02]
    assert len(changes_s) <= 3
    assert run.plans[-1][1].interval_s == 0.02


def test_plan_step_down_with_sound_makes_messages_longer() -> None:
    run = simulate("step_to_20_kbps", 30, sound=12.0)
    assert run.plan_at(9.0).interval_s == 0.06  # 12 kbps of sound and 25 messages a second would be over the budget
    assert run.plan_at(9.0).level == Level.HIGH


def test_plan_repeats_follow_the_loss_both_ways() -> None:
    run = simulate("loss_5_to_30", 80)
    assert {run.plan_at(time_s).repeat for time_s in (8, 10, 12)} <= {3, 4, 5}
    assert min(run.plan_at(time_s).repeat for time_s in (24, 28, 34)) >= 6
    assert run.plan_at(75).repeat in (3, 4, 5)
    assert min(plan.repeat for at_s, plan in run.plans if 5 < at_s < 40) >= 2  # none is left out for the trial
    # one trial of a few seconds whether the loss goes when less is sent; it does not, so it was not ours
    assert len([plan for at_s, plan in run.plans if plan.interval_s > 0.06]) <= 2
    assert run.plan_at(28).interval_s == run.plan_at(34).interval_s <= 0.06
    assert {(run.plan_at(time_s).level, run.plan_at(time_s).frame_rate) for time_s in (10, 28, 34, 60)} == {
        (Level.HIGH, 25.0)
    }


class Policer(Link):
    """A link that drops what exceeds 14 kbps, and lets nothing wait."""

    def __init__(self) -> None:
        super().__init__(LinkTrace((LinkPiece(0, 1000, 50),)))
        self._tokens, self._filled_s = 400.0, 0.0

    def send(self, wire_bytes: int, now_s: float) -> float | None:
        self._tokens = min(400.0, self._tokens + (now_s - self._filled_s) * 14000 / 8)
        self._filled_s = now_s
        if self._tokens < wire_bytes:
            return None
        self._tokens -= wire_bytes
        return super().send(wire_bytes, now_s)


def test_plan_loss_that_goes_when_less_is_sent_was_our_own() -> None:
    run = Simulation(load_trace(LINKS / "steady.json"), RateController(25.0, 20), there=Policer()).run(60)
    assert max(run.loss(second, second + 2) for second in range(20)) > 0.15
    assert run.loss(10, 60) < 0.15
    assert run.plan_at(59).interval_s >= 0.06


@pytest.mark.parametrize("name", ["outage_2_s", "outage_2_s_queued"])
def test_plan_outage_sends_little_until_something_comes_back_and_is_then_as_before(name: str) -> None:
    run = simulate(name, 40)
    assert run.plan_at(9.9) == run.plan_at(13.0) == run.plans[-1][1]
    dip = run.plan_at(11.9)
    assert (dip.interval_s, dip.frame_rate, dip.level) == (0.24, 12.5, Level.LOW)
    assert len([at_s for at_s, _ in run.plans if at_s > 10]) == 2


def test_plan_longer_way_is_no_queue_and_is_found_out_within_five_seconds() -> None:
    run = simulate("delay_step_300_ms", 60)
    assert run.plan_at(15) == run.plan_at(9.9) == run.plans[-1][1]
    assert len([at_s for at_s, _ in run.plans if at_s > 10]) == 2


def test_plan_bursts_are_met_with_deep_repeats() -> None:
    run = simulate("bursts", 60)
    assert sorted(run.plan_at(time_s).repeat for time_s in range(20, 60))[10] >= 4
    assert len([at_s for at_s, _ in run.plans if at_s > 20]) <= 10


def test_plan_recorded_uplink_at_a_24th_of_its_rate_keeps_its_queue_short() -> None:
    trace = load_trace(LINKS / "uplink_4g.json").scaled(1 / 24)  # 17 kbps in the mean
    run = Simulation(trace, RateController(25.0, 20)).run(21)
    fixed = Simulation(trace, FrameByFrame(25.0, 20)).run(21)
    assert len(run.plans) <= 10
    assert run.late_share(1, 20, 400) < 0.3 * fixed.late_share(1, 20, 400)
    assert run.loss(1, 20) < 0.2 * fixed.loss(1, 20)


class FrameByFrame(RateController):
    """Sends each frame by itself, whatever comes of it."""

    def plan(self, now_s: float) -> Plan:
        return Plan(0.02, 0, 25.0, False, Level.HIGH, None)


def test_plan_a_given_interval_is_kept_whatever_happens() -> None:
    controller = RateController(25.0, 20, max_kbps=3, interval_s=0.1)
    run = Simulation(load_trace(LINKS / "outage_2_s.json"), controller).run(20)
    assert {plan.interval_s for _, plan in run.plans} == {0.1}
    assert {(plan.level, plan.frame_rate) for _, plan in run.plans} == {(Level.HIGH, 25.0)}


def test_acknowledged_what_was_never_sent_changes_nothing() -> None:
    controller = RateController(25.0, 20)
    before = controller.plan(0.0)
    for newest in (-1, 0, 5, 1023):
        controller.acknowledged(Acknowledgement(newest, 0xFFFF), 0.1)
    assert controller.plan(0.2) == before
    assert controller.link.rtt_s is None


def test_take_wire_what_else_leaves_is_part_of_the_budget() -> None:
    controller = RateController(25.0, 20)
    for second in range(6):
        controller.take_wire(second * 18000 // 8, float(second))  # nothing of it is ours
        plan = controller.plan(float(second))
    assert plan.interval_s >= 0.06
    assert controller.predicted_kbps <= 12.0


@pytest.mark.parametrize(("max_kbps", "voice_bps"), [(30.0, 12_000), (18.5, 9_000), (14.0, 6_000), (10.5, 6_000)])
def test_plan_voice_gives_way_to_a_small_budget_and_comes_back(max_kbps: float, voice_bps: int) -> None:
    controller = RateController(30.0, 20, max_kbps)
    controller.expect_sound(12.0)
    controller.plan(0.0)
    plan = controller.plan(1.0)
    assert plan.voice_bps == voice_bps
    assert controller.predicted_kbps <= max_kbps
    controller.max_kbps = 40.0
    for second in range(2, 60):
        for index in range(17):  # all is acknowledged
            controller.sent(120, 2, second + index * 0.06, 90)
        number = (second - 1) * 17 - 1
        controller.acknowledged(Acknowledgement(number % 1024, 0xFFFF), second + 1.0)
        plan = controller.plan(second + 1.0)
    assert plan.voice_bps == 12_000
