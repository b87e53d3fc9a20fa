"""The states of a call, and how the silence of the other side becomes one. Plain objects; time is passed in.

starting -> waiting -> connecting -> in_call <-> unstable -> reconnecting -> in_call
any of them -> ended
"""

from enum import StrEnum
from typing import Final

from call.errors import StateError
from signaling.liveness import OWN_STALL_S

UNSTABLE_S: Final = 1.0
RECONNECTING_S: Final = 3.0
LOST_S: Final = 5.0
LOST_AFTER_LEAVING_S: Final = 1.0
"""Silence that is enough where signaling says that the other side's seat is empty."""


class State(StrEnum):
    """What a call is doing."""

    STARTING = "starting"
    WAITING = "waiting"
    CONNECTING = "connecting"
    IN_CALL = "in_call"
    UNSTABLE = "unstable"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


FOLLOWS: Final[dict[State, frozenset[State]]] = {
    State.STARTING: frozenset({State.WAITING, State.CONNECTING, State.ENDED}),
    State.WAITING: frozenset({State.CONNECTING, State.ENDED}),
    State.CONNECTING: frozenset({State.WAITING, State.IN_CALL, State.UNSTABLE, State.RECONNECTING, State.ENDED}),
    State.IN_CALL: frozenset({State.UNSTABLE, State.RECONNECTING, State.ENDED}),
    State.UNSTABLE: frozenset({State.IN_CALL, State.RECONNECTING, State.ENDED}),
    State.RECONNECTING: frozenset({State.IN_CALL, State.UNSTABLE, State.ENDED}),
    State.ENDED: frozenset(),
}
"""The states that may follow each. A call that was once connected never waits again: it reconnects, or ends."""


class Progress:
    """The state of one call and why it is in it."""

    def __init__(self) -> None:
        self.state = State.STARTING
        self.reason = "the call has not begun"

    def become(self, state: State, reason: str) -> bool:
        """Take a state with its reason in words; returns whether anything changed. Raises StateError."""
        if state is not self.state and state not in FOLLOWS[self.state]:
            expected = ", ".join(sorted(FOLLOWS[self.state])) or "nothing more"
            raise StateError(f"expected {expected} after {self.state}, got {state}: {reason}")
        changed = (state, reason) != (self.state, self.reason)
        self.state, self.reason = state, reason
        return changed


class Silence:
    """How long the other side has been silent, and what that means."""

    def __init__(self, now_s: float) -> None:
        self._heard_s = now_s
        self._looked_s = now_s
        self._left_s: float | None = None

    def left_its_seat(self, now_s: float | None) -> None:
        """Note that signaling says that the other side left; None: that it is back."""
        self._left_s = now_s

    def look(self, heard_s: float, now_s: float) -> tuple[State, str]:
        """What the call is in at `now_s`, with the last message at `heard_s`; to be asked several times a second.

        RECONNECTING in the words of `lost` is the end of this connection.
        """
        self._heard_s = max(self._heard_s, heard_s)
        if now_s - self._looked_s > OWN_STALL_S:  # it was us who were held up: what came meanwhile is still to be read
            self._heard_s = min(self._heard_s + now_s - self._looked_s, now_s)
        self._looked_s = now_s
        silent_s = now_s - self._heard_s
        if silent_s < UNSTABLE_S:
            return State.IN_CALL, ""
        words = f"nothing was heard from the other side for {int(silent_s)} s"
        return (State.UNSTABLE if silent_s < RECONNECTING_S else State.RECONNECTING), words

    def lost(self, now_s: float) -> str | None:
        """Say in words why this connection is to be given up, or None while it is not."""
        silent_s = now_s - self._heard_s
        if self._left_s is not None and min(silent_s, now_s - self._left_s) >= LOST_AFTER_LEAVING_S:
            return "the other side left its seat"
        return f"nothing was heard from the other side for {LOST_S:g} s" if silent_s >= LOST_S else None
