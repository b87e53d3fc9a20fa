"""How a call proceeds: a plain object that is told what happened and when, and answers with what to do.

Liveness is our own, since ICE notices a dead peer after 33 s and aiortc cannot restart ICE: silent for 1 s is
"unstable", for 3 s "reconnecting", for 5 s a new peer connection through signaling. A side is heard whenever anything
comes from it, media or `idle`. What comes on the old connection before that ends the trouble; with the new connection
the old one is dropped, so that there is never a choice between two.

Each connection has an id, chosen by the side that offers it and repeated in the answer. Either side may offer; the
caller does so first, the other one `PATIENCE_S` later. Where both offers cross (glare), both come to the same end:
- the lower id wins: its side ignores the other offer, the other side drops its own and answers;
- the side that wins repeats its offer, since the other one may have come into the room after the first;
- an offer after an answer, or in a call, always wins: the other side has given up what was before.

Times are seconds of one monotonic clock. `tick` is to be called several times a second; a pause of more than a second
between two calls means that this program was held up, not that the other side was silent.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from call.states import Accept, Action, Answer, Dial, Drop, Finish, Repeat, State, WrongState

UNSTABLE_AFTER_S = 1.0
LOST_AFTER_S = 3.0
DIAL_AFTER_S = 5.0
PATIENCE_S = 2.0
"""How much later than the caller the other side offers."""
ATTEMPT_S = 6.0
"""From an offer to its open channels; then the next attempt."""
REDIAL_S = 0.5
GIVE_UP_S = 60.0
OWN_STALL_S = 1.0
IDS_KEPT = 64


@dataclass
class Attempt:
    """A connection that is being made."""

    call: str
    ours: bool
    began_s: float
    answered: bool = False


class Progress:
    """One side's view of one call."""

    def __init__(self, now_s: float, caller: bool, make_id: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        self.state = State.STARTING
        self.reason = "getting ready"
        self.since_s = now_s
        self.connection: str | None = None
        """The id of the connection that carries the call, where one does."""
        self._patience_s = 0.0 if caller else PATIENCE_S
        self._make_id = make_id
        self._attempt: Attempt | None = None
        self._known_ids: deque[str] = deque(maxlen=IDS_KEPT)
        """Of offers made or answered: one that comes again is no news."""
        self._other_present = False
        self._left_s: float | None = None
        self._dial_s: float | None = None
        self._heard_s = self._trouble_s = self._looked_s = now_s

    # signaling

    def ready(self, now_s: float) -> list[Action]:
        """Note that this side can take a call. Raises WrongState when called twice."""
        if self.state is not State.STARTING:
            raise WrongState(f"expected to get ready while starting, the call is {self.state}")
        self._become(State.WAITING, "for the other side", now_s)
        return self._connect(now_s) if self._other_present else []

    def other_came(self, now_s: float) -> list[Action]:
        """Note that the other seat of the room is taken now, or was already."""
        self._other_present, self._left_s = True, None
        if self.state is State.WAITING:
            return self._connect(now_s)
        return self._dial_anew(now_s)

    def other_left(self, now_s: float) -> list[Action]:
        """Note that the other seat is free again. A call goes on as long as something is heard."""
        self._other_present, self._left_s = False, now_s
        if self.state is State.CONNECTING:
            self._become(State.WAITING, "the other side left; it may come back", now_s)
            return self._drop_attempt()
        if self.state is State.RECONNECTING:
            self.reason = "the other side left; it may come back"
        return []

    def signaling_lost(self, now_s: float) -> list[Action]:
        """Note that the signaling server is out of reach: no offers until `other_came`. A call goes on."""
        self._other_present = False
        return []

    def offer_came(self, call: str, now_s: float) -> list[Action]:
        """Note an offer of the other side."""
        attempt = self._attempt
        if self.state in (State.STARTING, State.ENDED) or call in self._known_ids:
            return []
        self._other_present, self._left_s = True, None
        if attempt is not None and attempt.ours and not attempt.answered and attempt.call < call:
            return [Repeat(attempt.call)]
        if self.state in (State.IN_CALL, State.UNSTABLE):
            self._lose(now_s, "the other side connects anew")
        elif self.state is State.WAITING:
            self._trouble(State.CONNECTING, "the other side is here", now_s)
        return [*self._drop_all(), Answer(self._attempt_now(call, ours=False, now_s=now_s))]

    def answer_came(self, call: str, now_s: float) -> list[Action]:
        """Note an answer of the other side; one to an attempt that was given up is ignored."""
        attempt = self._attempt
        if attempt is None or not attempt.ours or attempt.answered or attempt.call != call:
            return []
        attempt.answered = True
        return [Accept(call)]

    # the connection

    def connected(self, call: str, now_s: float) -> list[Action]:
        """Note that the channels of this connection are open and both sides agree."""
        if self._attempt is None or self._attempt.call != call:
            return [Drop(call)]
        self._attempt, self._dial_s, self.connection = None, None, call
        self._heard_s = now_s
        self._become(State.IN_CALL, "connected", now_s)
        return []

    def heard(self, call: str, now_s: float) -> list[Action]:
        """Note that something came on this connection."""
        if call == self.connection:
            self._heard_s = max(self._heard_s, now_s)
            if self.state in (State.UNSTABLE, State.RECONNECTING):
                self._become(State.IN_CALL, "the other side is heard again", now_s)
        return []

    def failed(self, call: str, words: str, now_s: float) -> list[Action]:
        """Note that this connection failed or closed without a goodbye."""
        if call == self.connection:
            self._lose(now_s, words)
        elif self._attempt is not None and call == self._attempt.call:
            self.reason = words
            self._dial_s = now_s + REDIAL_S + self._patience_s
        else:
            return []
        return self._drop_all()

    def network_changed(self, now_s: float) -> list[Action]:
        """Note that this machine has other addresses than before: the connection leads nowhere any more."""
        if self.state not in (State.IN_CALL, State.UNSTABLE, State.RECONNECTING):
            return []
        if self.state is not State.RECONNECTING:
            self._lose(now_s, "this machine's network changed")
        self._dial_s = now_s
        return self._drop_all() + self._dial_when_due(now_s)

    def end(self, words: str, now_s: float) -> list[Action]:
        """End the call: either side hung up or refused, Ctrl-C, the page was closed."""
        if self.state is State.ENDED:
            return []
        self._become(State.ENDED, words, now_s)
        return [*self._drop_attempt(), Finish(words)]

    # time

    def tick(self, now_s: float) -> list[Action]:
        """Look at the clock."""
        self._forgive_own_stall(now_s)
        silent_s = now_s - self._heard_s
        if self.state is State.IN_CALL and silent_s >= UNSTABLE_AFTER_S:
            self._become(State.UNSTABLE, f"nothing heard for {UNSTABLE_AFTER_S:g} s", now_s)
        if self.state is State.UNSTABLE:
            if self._left_s is not None and now_s - self._left_s >= UNSTABLE_AFTER_S:
                self._lose(now_s, "the other side left without a goodbye; it may come back")
            elif silent_s >= LOST_AFTER_S:
                self._lose(now_s, f"nothing heard for {LOST_AFTER_S:g} s")
                self._dial_s = self._heard_s + DIAL_AFTER_S + self._patience_s
        if self.state not in (State.CONNECTING, State.RECONNECTING):
            return []
        if now_s - self._trouble_s >= GIVE_UP_S:
            return self.end(f"no connection for {GIVE_UP_S:g} s: {self.reason}", now_s)
        actions: list[Action] = []
        if self._attempt is not None and now_s - self._attempt.began_s >= ATTEMPT_S:
            actions += self._drop_attempt()
            self._dial_s = now_s + REDIAL_S + self._patience_s
        return actions + self._dial_when_due(now_s)

    def _forgive_own_stall(self, now_s: float) -> None:
        stall_s, self._looked_s = now_s - self._looked_s, now_s
        if stall_s > OWN_STALL_S:
            self._heard_s = min(now_s, self._heard_s + stall_s)
            self._trouble_s += stall_s
            if self._attempt is not None:
                self._attempt.began_s += stall_s

    # how

    def _become(self, state: State, reason: str, now_s: float) -> None:
        self.state, self.reason, self.since_s = state, reason, now_s

    def _trouble(self, state: State, reason: str, now_s: float) -> None:
        self._trouble_s = now_s
        self._become(state, reason, now_s)

    def _lose(self, now_s: float, words: str) -> None:
        self._dial_s = now_s + self._patience_s
        self._trouble(State.RECONNECTING, words, now_s)

    def _connect(self, now_s: float) -> list[Action]:
        self._trouble(State.CONNECTING, "the other side is here", now_s)
        return self._dial_anew(now_s)

    def _dial_anew(self, now_s: float) -> list[Action]:
        """Offer soon, whatever was tried before: the other side was not there to hear it."""
        if self.state not in (State.CONNECTING, State.RECONNECTING):
            return []
        self._dial_s = now_s + self._patience_s
        return self._drop_attempt() + self._dial_when_due(now_s)

    def _dial_when_due(self, now_s: float) -> list[Action]:
        possible = self._other_present and self._attempt is None
        if not possible or self._dial_s is None or now_s < self._dial_s:
            return []
        return [*self._drop_all(), Dial(self._attempt_now(self._make_id(), ours=True, now_s=now_s))]

    def _attempt_now(self, call: str, ours: bool, now_s: float) -> str:
        self._attempt, self._dial_s = Attempt(call, ours, now_s), None
        self._known_ids.append(call)
        return call

    def _drop_attempt(self) -> list[Action]:
        attempt, self._attempt = self._attempt, None
        return [] if attempt is None else [Drop(attempt.call)]

    def _drop_all(self) -> list[Action]:
        connection, self.connection = self.connection, None
        return [*self._drop_attempt(), *([] if connection is None else [Drop(connection)])]
