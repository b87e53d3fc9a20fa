"""Is the other side still there? A plain object; time is passed in, in seconds of one monotonic clock.

ICE notices a dead peer after 33 s. Ours is faster: a peer says something at least once a second (media, or `idle` on
the control channel), so three silent seconds are the end. When signaling says that it left its seat one silent second
is enough; a peer that only lost its signaling server goes on talking, and its call goes on.
"""

SILENCE_LIMIT_S = 3.0
SILENCE_LIMIT_AFTER_LEAVING_S = 1.0
OWN_STALL_S = 1.0
"""Looks that lie further apart than this mean that we were held up, not the peer: what it sent is still to be read."""


class Liveness:
    """Watches one peer."""

    def __init__(self, now_s: float, silence_limit_s: float = SILENCE_LIMIT_S) -> None:
        self._heard_s = now_s
        self._limit_s = silence_limit_s
        self._looked_s = now_s
        self._left_s: float | None = None
        self._closed = False

    def heard(self, now_s: float) -> None:
        """Note that something came from the peer."""
        self._heard_s = max(self._heard_s, now_s)

    def left_its_seat(self, now_s: float) -> None:
        """Note that signaling says the peer left."""
        self._left_s = now_s

    def closed(self) -> None:
        """Note that the connection to the peer closed."""
        self._closed = True

    def verdict(self, now_s: float) -> str | None:
        """Say in words why the peer is taken for gone, or None while it is not. To be asked several times a second."""
        if now_s - self._looked_s > OWN_STALL_S:
            self._heard_s += now_s - self._looked_s
        self._looked_s = now_s
        silent_s = now_s - self._heard_s
        if self._closed:
            return "its connection closed"
        if self._left_s is not None and min(silent_s, now_s - self._left_s) >= SILENCE_LIMIT_AFTER_LEAVING_S:
            return "it left the room"
        if silent_s >= self._limit_s:
            return f"nothing was heard from it for {self._limit_s:g} s"
        return None
