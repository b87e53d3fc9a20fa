"""What leaves on the wire besides our messages: SCTP's own acknowledgements, keep-alives, the control channel."""

from typing import Final

MEASURED_OVER_S: Final = 2.0


class OtherTraffic:
    """Measures it at the socket. Plain; the time is passed in."""

    def __init__(self) -> None:
        self.kbps = 0.0
        self._wire_bytes = self._media_bytes = 0
        self._since_s: float | None = None

    def update(self, wire_bytes: int, media_bytes: int, now_s: float) -> None:
        """Take what has left so far: all of it, and our messages with their headers."""
        if self._since_s is None or now_s - self._since_s >= MEASURED_OVER_S:
            if self._since_s is not None:
                other_bytes = (wire_bytes - self._wire_bytes) - (media_bytes - self._media_bytes)
                self.kbps = max(0.0, other_bytes * 8 / 1000 / (now_s - self._since_s))
            self._since_s, self._wire_bytes, self._media_bytes = now_s, wire_bytes, media_bytes
