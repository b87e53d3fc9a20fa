"""What is known of the way to the other side while it does not stand, in words, and how long it is hoped for."""

from typing import TYPE_CHECKING, Final

from call.states import State
from signaling.errors import NobodyCame, PeerGone

if TYPE_CHECKING:
    from call.engine import Engine

FIND_WAY_S: Final = 15.0
FIND_WAY_AGAIN_S: Final = (3.0, 6.0)
"""Until ICE has found a way, from the moment both descriptions are there: the first time, and in a call that lost its
way, at first and after some attempts. A network that comes back is found sooner by a new attempt than by an old one,
which asks ever more rarely."""
LEFT_S: Final = 3.0
"""Who closes its connection and does not sit down again for so long has left; its goodbye was lost."""


class Prospects:
    """Told by the dialling of what happens; tells the engine where the call stands."""

    def __init__(self, engine: "Engine") -> None:
        self.connected_once = False
        self._engine = engine
        self._away_since_s: float | None = None
        self._lost_since_s: float | None = None
        self._lost_words = ""
        self._closed_by_them = False
        self._attempts = 0

    def stands(self) -> None:
        """Note that a connection stands."""
        self.connected_once = True
        self._attempts = 0
        self._lost_since_s = None
        self._closed_by_them = False

    def find_way_s(self) -> float:
        """How long the next attempt may look for a way."""
        if not self.connected_once:
            return FIND_WAY_S
        self._attempts += 1
        shortest_s, longest_s = FIND_WAY_AGAIN_S
        return min(shortest_s + 0.5 * (self._attempts - 1), longest_s)

    def presence(self, present: bool) -> None:
        """Note whether somebody sits on the other seat, and say so while nothing stands."""
        engine = self._engine
        self._away_since_s = None if present else self._away_since_s or engine.now()
        self._closed_by_them &= not present
        conversation = engine.conversation
        if conversation is not None:
            conversation.silence.left_its_seat(None if present else engine.clock())
        if self.connected_once:
            if conversation is None:
                self.lost("connecting again" if present else "the other side left its seat; it is kept for a while")
        elif present:
            engine.report(State.CONNECTING, "the other side is there")
        else:
            own = engine.link.token is not None
            words = f"waiting for the other side{', who has a link of their own' if own else ': give it the link'}"
            engine.report(State.WAITING, words)

    def lost(self, words: str, closed_by_them: bool = False) -> None:
        """Note and say that there is no connection, and why. `closed_by_them`: the other side closed it."""
        self._lost_since_s = self._engine.now() if self._lost_since_s is None else self._lost_since_s
        self._lost_words = words
        self._closed_by_them |= closed_by_them
        self._say(words)

    def lost_still(self, words: str) -> None:
        """An attempt failed, with these words: the ones before it count, where there were any."""
        self.lost(self._lost_words or words)

    def no_signaling(self) -> None:
        """Say that the signaling server cannot be reached either."""
        self._lost_since_s = self._engine.now() if self._lost_since_s is None else self._lost_since_s
        self._say(f"{self._lost_words}; the signaling server cannot be reached either")

    def _say(self, words: str) -> None:
        self._engine.report(State.RECONNECTING if self.connected_once else State.CONNECTING, words)

    def check(self) -> None:
        """Raise when there is no hope: NobodyCame, or PeerGone where somebody was there and does not come back."""
        settings = self._engine.settings
        now_s = self._engine.now()
        away_s = 0.0 if self._away_since_s is None else now_s - self._away_since_s
        lost_s = 0.0 if self._lost_since_s is None else now_s - self._lost_since_s
        if not self.connected_once:
            if away_s > settings.wait_s:
                raise NobodyCame(
                    f"expected somebody to come within {settings.wait_s:g} s, nobody came: was the link given?"
                )
            return
        if away_s > settings.away_s:
            raise PeerGone(f"the other side left and did not come back within {settings.away_s:g} s")
        if lost_s > settings.give_up_s:
            raise PeerGone(f"the connection was lost and could not be made again within {settings.give_up_s:g} s")

    @property
    def left(self) -> bool:
        """Whether the other side left for good: it closed its connection itself and gave its seat back."""
        away_s = self._away_since_s
        return self._closed_by_them and away_s is not None and self._engine.now() - away_s > LEFT_S
