"""states.py: what follows what, and what silence means."""

import pytest

from call.errors import StateError
from call.states import FOLLOWS, Progress, Silence, State


def test_progress_takes_a_call_and_refuses_to_go_back() -> None:
    progress = Progress()
    for state in (State.WAITING, State.CONNECTING, State.IN_CALL, State.UNSTABLE, State.RECONNECTING, State.IN_CALL):
        assert progress.become(state, "")
    assert not progress.become(State.IN_CALL, "")
    assert progress.become(State.IN_CALL, "no face")
    with pytest.raises(StateError, match="expected .* after in_call, got waiting"):
        progress.become(State.WAITING, "")
    progress.become(State.ENDED, "hung up")
    with pytest.raises(StateError, match="expected nothing more after ended"):
        progress.become(State.IN_CALL, "")


def test_every_state_but_the_last_can_end() -> None:
    assert all(State.ENDED in FOLLOWS[state] for state in State if state is not State.ENDED)


@pytest.mark.parametrize(
    ("silent_s", "state", "lost"),
    [
        (0.9, State.IN_CALL, False),
        (1.0, State.UNSTABLE, False),
        (2.9, State.UNSTABLE, False),
        (3.0, State.RECONNECTING, False),
        (5.0, State.RECONNECTING, True),
    ],
)
def test_silence_becomes_states_at_one_three_and_five_seconds(silent_s: float, state: State, lost: bool) -> None:
    silence = Silence(10.0)
    for step in range(int(silent_s / 0.1) + 1):
        silence.look(10.0, 10.0 + step * 0.1)
    assert silence.look(10.0, 10.0 + silent_s)[0] is state
    assert (silence.lost(10.0 + silent_s) is not None) is lost


def test_silence_that_is_our_own_stall_does_not_count() -> None:
    silence = Silence(0.0)
    silence.look(0.0, 0.1)
    assert silence.look(0.0, 8.0)[0] is State.IN_CALL
    assert silence.lost(8.0) is None


def test_silence_of_one_second_is_enough_after_leaving() -> None:
    silence = Silence(0.0)
    silence.left_its_seat(0.5)
    for now_s in (0.5, 1.0, 1.4):
        silence.look(0.0, now_s)
        assert silence.lost(now_s) is None
    assert silence.lost(1.6) == "the other side left its seat"
    silence.left_its_seat(None)
    assert silence.lost(1.6) is None
