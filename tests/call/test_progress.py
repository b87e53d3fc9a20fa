"""progress.py: each state by hand, then two sides through networks that come and go."""

import random
from collections.abc import Iterator

import pytest

from call.progress import ATTEMPT_S, DIAL_AFTER_S, GIVE_UP_S, LOST_AFTER_S, PATIENCE_S, REDIAL_S, Progress
from call.states import Accept, Answer, Dial, Drop, Finish, Repeat, State, WrongState
from tests.call.two_sides import REJOIN_S, World


def make(caller: bool = True, ids: str = "mnopqr") -> Progress:
    names: Iterator[str] = iter(ids)
    return Progress(0.0, caller, lambda: next(names))


def talking(caller: bool = True) -> Progress:
    """A call that stands since 1.0, on connection "m" (the caller's) or "k" (the other side's)."""
    call = make(caller)
    call.ready(0.0)
    call.other_came(0.0)
    if caller:
        call.answer_came("m", 0.5)
    else:
        call.offer_came("k", 0.5)
    assert call.connected("m" if caller else "k", 1.0) == []
    return call


def state_of(call: Progress) -> State:
    """Read the state afresh: a type checker takes it for what was last asserted."""
    return call.state


def run_ticks(call: Progress, start_s: float, end_s: float) -> list[object]:
    """Tick each tenth of a second; returns all that was to be done."""
    done: list[object] = []
    for tenth in range(round(start_s * 10), round(end_s * 10) + 1):
        done += call.tick(tenth / 10)
    return done


def test_caller_waits_dials_accepts_and_is_in_the_call() -> None:
    call = make()
    assert (call.state, call.reason) == (State.STARTING, "getting ready")
    assert call.ready(1.0) == []
    assert state_of(call) is State.WAITING
    assert call.other_came(2.0) == [Dial("m")]
    assert state_of(call) is State.CONNECTING
    assert call.answer_came("m", 2.2) == [Accept("m")]
    assert call.connected("m", 2.5) == []
    assert (call.state, call.reason, call.connection, call.since_s) == (State.IN_CALL, "connected", "m", 2.5)


def test_other_side_answers_and_does_not_dial_itself() -> None:
    call = make(caller=False)
    call.ready(1.0)
    assert call.other_came(2.0) == []
    assert state_of(call) is State.CONNECTING
    assert run_ticks(call, 2.0, 3.0) == []
    assert call.offer_came("k", 3.0) == [Answer("k")]
    assert call.connected("k", 3.5) == []
    assert state_of(call) is State.IN_CALL


def test_other_side_dials_when_the_caller_does_not() -> None:
    call = make(caller=False)
    call.ready(0.0)
    call.other_came(0.0)
    assert run_ticks(call, 0.1, PATIENCE_S) == [Dial("m")]


def test_ready_when_the_other_side_was_there_first() -> None:
    call = make()
    assert call.other_came(0.5) == []
    assert call.ready(1.0) == [Dial("m")]


def test_ready_twice_is_an_error_of_the_program() -> None:
    call = make()
    call.ready(1.0)
    with pytest.raises(WrongState, match="expected to get ready while starting, the call is waiting"):
        call.ready(2.0)


def test_answers_that_are_not_ours_are_ignored() -> None:
    call = make()
    call.ready(0.0)
    call.other_came(0.0)
    assert call.answer_came("x", 0.1) == []
    assert call.answer_came("m", 0.1) == [Accept("m")]
    assert call.answer_came("m", 0.2) == []


def test_connected_of_an_attempt_that_was_given_up_is_dropped() -> None:
    assert make().connected("x", 0.0) == [Drop("x")]


def test_silence_one_three_and_five_seconds() -> None:
    call = talking()
    assert run_ticks(call, 1.0, 1.9) == []
    assert state_of(call) is State.IN_CALL
    assert run_ticks(call, 2.0, 3.9) == []
    assert (call.state, call.reason) == (State.UNSTABLE, "nothing heard for 1 s")
    assert run_ticks(call, 4.0, 5.9) == []
    assert (call.state, call.reason) == (State.RECONNECTING, f"nothing heard for {LOST_AFTER_S:g} s")
    assert run_ticks(call, 6.0, 6.0) == [Drop("m"), Dial("n")]
    assert call.connection is None
    assert 1.0 + DIAL_AFTER_S == 6.0


@pytest.mark.parametrize("until_s", [3.0, 5.5])
def test_heard_again_ends_the_trouble_on_the_same_connection(until_s: float) -> None:
    call = talking()
    run_ticks(call, 1.0, until_s)
    assert state_of(call) in (State.UNSTABLE, State.RECONNECTING)
    assert call.heard("m", until_s) == []
    assert (call.state, call.reason) == (State.IN_CALL, "the other side is heard again")
    assert run_ticks(call, until_s, until_s + 0.9) == []
    assert state_of(call) is State.IN_CALL


def test_heard_on_a_connection_that_was_dropped_is_nothing() -> None:
    call = talking()
    run_ticks(call, 1.0, 6.0)
    call.heard("m", 6.1)
    assert state_of(call) is State.RECONNECTING


def test_own_stall_is_not_the_other_sides_silence() -> None:
    call = talking()
    call.tick(1.0)
    assert call.tick(61.0) == []
    assert state_of(call) is State.IN_CALL
    run_ticks(call, 61.1, 62.5)
    assert state_of(call) is State.UNSTABLE


def test_own_stall_while_reconnecting_is_not_counted_as_trying() -> None:
    call = talking()
    run_ticks(call, 1.0, 8.0)
    assert state_of(call) is State.RECONNECTING
    call.tick(8.0 + GIVE_UP_S)
    assert state_of(call) is State.RECONNECTING


def test_connection_that_closes_is_dialled_anew_at_once() -> None:
    call = talking()
    assert call.failed("m", "its connection closed", 2.0) == [Drop("m")]
    assert (call.state, call.reason) == (State.RECONNECTING, "its connection closed")
    assert call.tick(2.1) == [Dial("n")]


def test_network_changed_dials_at_once_on_either_side() -> None:
    for caller, connection, dial in ((True, "m", "n"), (False, "k", "m")):
        call = talking(caller)
        assert call.network_changed(2.0) == [Drop(connection), Dial(dial)]
        assert (call.state, call.reason) == (State.RECONNECTING, "this machine's network changed")
    assert make().network_changed(2.0) == []


def test_seat_given_up_while_talking_goes_on_until_nothing_is_heard() -> None:
    call = talking()
    call.other_left(1.5)
    call.heard("m", 1.9)
    run_ticks(call, 1.9, 2.8)
    assert state_of(call) is State.IN_CALL
    run_ticks(call, 2.9, 3.0)
    assert (call.state, call.reason) == (State.RECONNECTING, "the other side left without a goodbye; it may come back")
    assert run_ticks(call, 3.1, 20.0) == []  # nobody is there to take an offer
    assert call.other_came(20.0) == [Drop("m"), Dial("n")]


def test_other_side_leaves_while_connecting() -> None:
    call = make()
    call.ready(0.0)
    call.other_came(0.0)
    assert call.other_left(0.5) == [Drop("m")]
    assert (call.state, call.reason) == (State.WAITING, "the other side left; it may come back")
    assert call.other_came(1.0) == [Dial("n")]


def test_attempt_that_leads_nowhere_is_followed_by_the_next_and_in_the_end_by_words() -> None:
    call = make(ids="abcdefghijklmnopqrstuvwxyz")
    call.ready(0.0)
    call.other_came(0.0)
    assert run_ticks(call, 0.1, ATTEMPT_S + REDIAL_S) == [Drop("a"), Dial("b")]
    call.answer_came("b", 6.6)
    assert run_ticks(call, 6.6, 8.0) == []
    assert call.failed("b", "no way by UDP", 8.0) == [Drop("b")]
    done = run_ticks(call, 8.0, GIVE_UP_S)
    assert done[0] == Dial("c")
    assert done[-1] == Finish(f"no connection for {GIVE_UP_S:g} s: no way by UDP")
    assert state_of(call) is State.ENDED


def test_glare_lower_id_wins_on_both_sides() -> None:
    lower, higher = make(ids="a"), make(ids="b")
    for call in (lower, higher):
        call.ready(0.0)
        call.other_came(0.0)
    assert lower.offer_came("b", 0.1) == [Repeat("a")]
    assert higher.offer_came("a", 0.1) == [Drop("b"), Answer("a")]
    assert higher.offer_came("a", 0.2) == []  # the repeated one
    assert lower.answer_came("a", 0.2) == [Accept("a")]
    assert higher.answer_came("b", 0.3) == []


def test_offer_after_an_answer_wins_whatever_its_id() -> None:
    call = make(ids="a")
    call.ready(0.0)
    call.other_came(0.0)
    call.answer_came("a", 0.1)
    assert call.offer_came("z", 0.5) == [Drop("a"), Answer("z")]


def test_offer_in_a_call_replaces_its_connection() -> None:
    call = talking()
    assert call.offer_came("z", 2.0) == [Drop("m"), Answer("z")]
    assert (call.state, call.reason) == (State.RECONNECTING, "the other side connects anew")
    call.connected("z", 2.5)
    assert (call.state, call.connection) == (State.IN_CALL, "z")


def test_signaling_lost_no_offers_until_it_is_back() -> None:
    call = talking()
    call.signaling_lost(1.5)
    assert run_ticks(call, 1.5, 12.0) == []
    assert state_of(call) is State.RECONNECTING
    assert call.other_came(12.0) == [Drop("m"), Dial("n")]


def test_end_says_goodbye_once_and_nothing_follows() -> None:
    call = talking()
    call.network_changed(2.0)
    assert call.end("the other side hung up", 2.5) == [Drop("n"), Finish("the other side hung up")]
    assert (call.state, call.reason) == (State.ENDED, "the other side hung up")
    assert call.end("again", 3.0) == []
    assert call.offer_came("z", 3.0) == []
    assert call.other_came(3.0) == []
    assert call.network_changed(3.0) == []
    assert run_ticks(call, 3.0, 100.0) == []
    assert call.connected("n", 4.0) == [Drop("n")]
    assert state_of(call) is State.ENDED


# two sides


def met(seed: int) -> World:
    """Two sides in a call, who came in one order or the other."""
    chance = random.Random(seed)
    world = World(lambda number: f"{chance.getrandbits(64):016x}")
    for index in chance.sample((0, 1), 2):
        world._do(index, world.sides[index].progress.ready(world.now_s))
        world.seat(index)
        world.run(chance.choice((0.1, 1.0)))
    world.run(1.0)
    assert world.in_call
    return world


def outage(world: World, seconds: float, chance: random.Random, unseats: bool) -> None:
    """Take the network away for a while; seats are lost with it, or not, one after the other."""
    world.network = False
    if unseats:
        for index in chance.sample((0, 1), 2):
            world.run(chance.choice((0.1, 0.4)))
            world.unseat(index)
    world.run(seconds)
    world.network = True
    for index in (0, 1):
        world.later(REJOIN_S * chance.uniform(0.5, 1.5), lambda index=index: world.seat(index))  # type: ignore[misc]


@pytest.mark.parametrize("unseats", [True, False])
@pytest.mark.parametrize("seconds", [0.7, 2.5, 4.0, 6.0, 20.0])
def test_outage_ends_and_both_are_back_within_five_seconds(seconds: float, unseats: bool) -> None:
    for seed in range(20):
        world = met(seed)
        outage(world, seconds, random.Random(seed), unseats)
        world.run(5.0)
        assert world.in_call, f"seed {seed}: {world.states}"


def test_one_side_whose_address_changes_is_back_within_five_seconds() -> None:
    for seed in range(20):
        world = met(seed)
        world.unseat(seed % 2)
        for side in world.sides:
            side.open.clear()  # nothing comes through any more, and nobody is told
        world._do(seed % 2, world.sides[seed % 2].progress.network_changed(world.now_s))
        world.run(REJOIN_S)
        world.seat(seed % 2)
        world.run(5.0)
        assert world.in_call, f"seed {seed}: {world.states}"


def test_many_outages_in_a_row_end_in_a_call_with_one_connection() -> None:
    for seed in range(8):
        chance = random.Random(seed)
        world = met(seed)
        for _ in range(8):
            outage(world, chance.uniform(0.2, 15.0), chance, chance.random() < 0.5)
            world.run(chance.uniform(0.2, 4.0))
        world.run(10.0)
        assert world.in_call, f"seed {seed}: {world.states}"
        assert world.sides[0].pending == world.sides[1].pending == set()


def test_offers_and_answers_that_get_lost_only_take_longer() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        world = met(seed)
        world.network = False
        world.loses = lambda: chance.random() < 0.25  # noqa: B023, used up within this turn
        world.run(DIAL_AFTER_S + 1)
        world.network = True
        world.run(7 * (ATTEMPT_S + REDIAL_S))
        assert world.in_call, f"seed {seed}: {world.states}"


def test_side_that_dies_is_noticed_within_five_seconds_and_given_up_in_the_end() -> None:
    world = met(1)
    dead = world.sides[1]
    world.unseat(1)
    dead.open.clear()
    live = world.sides[0].progress
    world.run(1.2)
    assert state_of(live) is State.RECONNECTING
    world.run(GIVE_UP_S + 1)
    assert state_of(live) is State.ENDED
    assert world.sides[0].finished is not None
