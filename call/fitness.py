"""Whether the source picture still fits: what is seen of unlikeness over time becomes a reason to take a new one.

A single look proves nothing: people yawn, drink, look out of the window, wave. A reason stands when most looks over
some seconds say the same. The face's structure is judged against what is usual in this call with this picture, for no
two faces are rendered equally well. After a new picture everything begins anew, and a reason that stands again at once
(a camera in a train, a lamp that flickers) is waited for ever longer. Plain; times are passed in.
"""

from collections import deque
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

from call.likeness import Unlikeness


class Reason(StrEnum):
    """Why a new picture would help."""

    LIGHT = "light"
    BACKGROUND = "background"
    COVERED = "covered"
    TURNED = "turned"


class _Rule(NamedTuple):
    """limit: from which a look counts; persist_s: over how long most looks must."""

    limit: float
    persist_s: float


RULES: Final[dict[Reason, _Rule]] = {
    Reason.LIGHT: _Rule(0.25, 5.0),
    Reason.BACKGROUND: _Rule(0.06, 5.0),
    Reason.COVERED: _Rule(0.16, 5.0),
    Reason.TURNED: _Rule(30.0, 8.0),
}
"""Light: log of a gain. Background: mean difference. Covered: structure lost above what is usual. Turned: degrees."""
MOST: Final = 0.85
"""Share of looks that are most."""
LEAST_COVER: Final = 0.25
"""Structure lost that is nothing to speak of, whatever is usual."""
USUAL_COVER: Final = (0.1,) * 4
"""What a call begins with, until it has looks of its own."""
USUAL_LOOKS: Final = 30
LONGER: Final = 4.0
"""How much longer a reason is waited for that came back at once."""
AT_ONCE_S: Final = 60.0
LONGEST_S: Final = 600.0
HAND_S: Final = 20.0
"""So long a hand may stay before a face; what stays longer belongs to it, a mask or glasses."""


class Fitness:
    """One call's judgement. Looks come in the order of time."""

    def __init__(self) -> None:
        self._looks: dict[Reason, deque[tuple[float, bool]]] = {reason: deque() for reason in Reason}
        self._wait_s = {reason: rule.persist_s for reason, rule in RULES.items()}
        self._covers: deque[float] = deque(USUAL_COVER, USUAL_LOOKS)
        self._renewed_s: float | None = None
        self.reason: Reason | None = None
        """The reason that stands, the strongest where there are several."""
        self._since_s: float | None = None

    def look(self, unlike: Unlikeness | None, turned_deg: float, time_s: float) -> Reason | None:
        """Take one look: how unlike the rendering is (None: it could not be told), and by how many degrees the head is
        turned against the source picture. Returns the reason that stands.
        """
        over = {Reason.TURNED: turned_deg > RULES[Reason.TURNED].limit}
        if unlike is not None:
            usual = median(self._covers)
            self._covers.append(unlike.cover)
            covered = unlike.cover > max(usual + RULES[Reason.COVERED].limit, LEAST_COVER)
            over[Reason.LIGHT] = unlike.light > RULES[Reason.LIGHT].limit
            over[Reason.BACKGROUND] = unlike.back > RULES[Reason.BACKGROUND].limit
            over[Reason.COVERED] = covered and not over[Reason.TURNED]  # a turn tears the face, too
        for reason, is_over in over.items():
            self._looks[reason].append((time_s, is_over))
        standing = next((reason for reason in Reason if self._stands(reason, time_s)), None)
        if standing is not self.reason:
            self._since_s = time_s
        self.reason = standing
        return standing

    def hidden(self, time_s: float) -> bool:
        """Whether something seems to be before the face just now, which a new picture should not show."""
        if self.reason is Reason.COVERED and self._since_s is not None and time_s - self._since_s >= HAND_S:
            return False
        looks = self._looks[Reason.COVERED]
        return bool(looks) and looks[-1][1]

    def renewed(self, time_s: float) -> None:
        """Hear that another source picture is in use from now on."""
        reason, before_s = self.reason, self._renewed_s
        if reason is not None and before_s is not None and time_s - before_s < AT_ONCE_S + self._wait_s[reason]:
            self._wait_s[reason] = min(LONGER * self._wait_s[reason], LONGEST_S)
        self._renewed_s = time_s
        for looks in self._looks.values():
            looks.clear()
        self._covers = deque(USUAL_COVER, USUAL_LOOKS)
        self.reason = self._since_s = None

    def _stands(self, reason: Reason, time_s: float) -> bool:
        looks, wait_s = self._looks[reason], self._wait_s[reason]
        while len(looks) > 1 and looks[1][0] <= time_s - wait_s:
            looks.popleft()
        if not looks or time_s - looks[0][0] < wait_s:
            return False
        return sum(is_over for _, is_over in looks) >= MOST * len(looks)
