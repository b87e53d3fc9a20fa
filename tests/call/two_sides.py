"""Two sides of a call in a world made of a clock: a signaling server with two seats, a network, connections."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from call.progress import Progress
from call.states import Accept, Action, Answer, Dial, Drop, Finish, Repeat, State

SIGNALING_DELAY_S = 0.08
REJOIN_S = 0.5
"""From the network's return until a side sits in its room again."""
CONNECT_S = 0.3
"""From both descriptions known, and a network, until the channels are open."""


@dataclass
class Side:
    """One side, and the connections that it has."""

    progress: Progress
    seated: bool = False
    pending: set[str] = field(default_factory=set)
    """Connections whose two descriptions this side knows, and that are not open yet."""
    open: set[str] = field(default_factory=set)
    offered: set[str] = field(default_factory=set)
    finished: str | None = None


class World:
    """Runs both sides. Whatever the test changes holds from the next step on."""

    def __init__(self, make_id: Callable[[int], str]) -> None:
        numbers = itertools.count()
        self.now_s = 0.0
        self.sides = [Side(Progress(0.0, caller, lambda: make_id(next(numbers)))) for caller in (True, False)]
        self.network = True
        self.loses: Callable[[], bool] = lambda: False
        """Asked for each offer and answer: whether the server loses it."""
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.states: list[tuple[float, int, State, str]] = []

    def later(self, delay_s: float, event: Callable[[], None]) -> None:
        """Let something happen after a while."""
        heapq.heappush(self._events, (self.now_s + delay_s, next(self._order), event))

    def seat(self, index: int) -> None:
        """Let a side take its seat in the room; the other seat and this one are told."""
        mine, other = self.sides[index], self.sides[1 - index]
        if mine.seated or not self.network:
            return
        mine.seated = True
        if other.seated:
            self._do(index, mine.progress.other_came(self.now_s))
            self._do(1 - index, other.progress.other_came(self.now_s))

    def unseat(self, index: int) -> None:
        """Let a side lose its signaling; the other one is told."""
        mine, other = self.sides[index], self.sides[1 - index]
        if mine.seated:
            mine.seated = False
            self._do(index, mine.progress.signaling_lost(self.now_s))
            if other.seated:
                self._do(1 - index, other.progress.other_left(self.now_s))

    def run(self, seconds: float, step_s: float = 0.1) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s = round(self.now_s + step_s, 6)
            while self._events and self._events[0][0] <= self.now_s:
                heapq.heappop(self._events)[2]()
            self._carry()
            for index, side in enumerate(self.sides):
                self._do(index, side.progress.tick(self.now_s))
                assert len(side.open) <= 1, "two connections at one time"

    def _carry(self) -> None:
        """Media on the connections that both sides have open."""
        if self.network:
            for call in self.sides[0].open & self.sides[1].open:
                for index, side in enumerate(self.sides):
                    self._do(index, side.progress.heard(call, self.now_s))

    def _do(self, index: int, actions: list[Action]) -> None:
        side = self.sides[index]
        for action in actions:
            if isinstance(action, Finish):
                side.finished = action.words
            elif isinstance(action, Drop):
                self._drop(index, action.call)
            elif isinstance(action, Dial | Repeat):
                side.offered.add(action.call)
                self._tell(index, action.call, "offer")
            elif isinstance(action, Answer):
                side.pending.add(action.call)
                self._tell(index, action.call, "answer")
            elif isinstance(action, Accept):
                side.pending.add(action.call)
                self._try_to_open(action.call)
        now = (side.progress.state, side.progress.reason)
        if not self.states or [each[2:] for each in self.states if each[1] == index][-1:] != [now]:
            self.states.append((self.now_s, index, *now))

    def _tell(self, index: int, call: str, kind: str) -> None:
        if self.loses() or not (self.sides[index].seated and self.sides[1 - index].seated):
            return

        def arrive() -> None:
            other = self.sides[1 - index]
            if other.seated:
                take = other.progress.offer_came if kind == "offer" else other.progress.answer_came
                self._do(1 - index, take(call, self.now_s))

        self.later(SIGNALING_DELAY_S, arrive)

    def _try_to_open(self, call: str) -> None:
        def now_or_later() -> None:
            if not all(call in side.pending for side in self.sides):
                return  # one side has dropped it
            if not self.network:
                self.later(0.1, now_or_later)  # ICE goes on asking
                return
            for index, side in enumerate(self.sides):
                side.pending.discard(call)
                side.open.add(call)
                self._do(index, side.progress.connected(call, self.now_s))

        self.later(CONNECT_S, now_or_later)

    def _drop(self, index: int, call: str) -> None:
        for held in (self.sides[index].pending, self.sides[index].open, self.sides[index].offered):
            held.discard(call)
        other = self.sides[1 - index]
        if call in other.open and self.network:
            self.later(0.05, lambda: self._closed(1 - index, call))

    def _closed(self, index: int, call: str) -> None:
        if call in self.sides[index].open:
            self.sides[index].open.discard(call)
            self._do(index, self.sides[index].progress.failed(call, "its connection closed", self.now_s))

    @property
    def in_call(self) -> bool:
        """Whether both sides talk on the same connection, and on no other."""
        ours, theirs = self.sides
        same = ours.progress.connection is not None and ours.progress.connection == theirs.progress.connection
        return same and ours.open == theirs.open and all(side.progress.state is State.IN_CALL for side in self.sides)
