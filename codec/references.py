"""The encoder's side of loss: which states it may build on, and which of them the other side holds."""

from __future__ import annotations

from codec.acknowledgement import ACKNOWLEDGED_BEFORE, NOTHING_HELD, Acknowledgement
from codec.chain import State
from codec.fields import MAX_STEP
from codec.wire import unwrap_sequence


class References:
    """The states after the last messages sent, and what the receiver holds. Plain; numbers are of the whole call.

    Three ways to build: on the chain (the last message, or an older one with those in between repeated), on a state
    that the receiver has acknowledged, on nothing. The second is taken from the moment that the receiver says it lacks
    something until it has a message that was coded after that: so whatever is lost in between, the first message that
    arrives after one round trip can be read.
    """

    def __init__(self) -> None:
        self._states: dict[int, State] = {}
        self._held: set[int] = set()
        self._acknowledged = NOTHING_HELD
        self._recovering_from: int | None = None

    def keep(self, state: State, number: int) -> None:
        """Take the state after a message just coded; forget what no message can build on any more."""
        self._states[state.number] = state
        self._states = {n: kept for n, kept in self._states.items() if number - n < MAX_STEP}
        self._held &= self._states.keys()

    def choose(self, number: int, repeat: int, each: int = 1) -> tuple[State | None, list[State]]:
        """What message `number` builds on (None: nothing), and the states repeated in between, oldest first.

        Args: repeat: how many states stand between. each: repeat only every so many of them, the newest first.
        """
        if self._recovering_from is not None:
            return self._states.get(max(self._held, default=NOTHING_HELD)), []
        newest_first = [self._states[n] for n in sorted(self._states, reverse=True) if number - n <= MAX_STEP]
        between: list[State] = []
        for state in newest_first:
            if len(between) == repeat or state.number in self._held:
                return state, between[::each][::-1]
            between.append(state)
        return None, between[::each][::-1]

    def take(self, acknowledgement: Acknowledgement, next_number: int) -> None:
        """Take what the receiver says. Older than what it said before, or never sent, counts for nothing."""
        if acknowledgement.newest == NOTHING_HELD:
            if not self._held:
                self._recover(next_number)
            return
        newest = unwrap_sequence(acknowledgement.newest, next_number - 1)
        if not self._acknowledged <= newest < next_number:
            return
        self._acknowledged = newest
        told = {newest} | {
            newest - 1 - bit for bit in range(ACKNOWLEDGED_BEFORE) if acknowledgement.received >> bit & 1
        }
        self._held |= told & self._states.keys()
        if self._recovering_from is not None and newest >= self._recovering_from:
            self._recovering_from = None
        if acknowledgement.lacking:
            self._recover(next_number)

    def _recover(self, next_number: int) -> None:
        if self._recovering_from is None:
            self._recovering_from = next_number
