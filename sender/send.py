"""Media messages leave, or are dropped: what waits in a full channel is old before it arrives."""

from collections import deque
from typing import Protocol

MESSAGES_WAITING = 2


class MediaLine(Protocol):
    """What of signaling.peer.Peer is needed here."""

    @property
    def media_waiting_bytes(self) -> int:
        """Bytes that have not reached the socket yet."""

    def send_media(self, message: bytes) -> None:
        """Send a message that arrives once or never."""


class MediaSender:
    """Sends and counts. Never waits."""

    def __init__(self, line: MediaLine) -> None:
        self._line = line
        self._newest_bytes: deque[int] = deque(maxlen=MESSAGES_WAITING + 1)
        self.messages = 0
        self.frames = 0
        self.payload_bytes = 0

    @property
    def congested(self) -> bool:
        """Whether more than two messages wait: the link is slower than we are, and the next frames must be dropped."""
        newest_bytes = self._newest_bytes  # messages leave in order: those that wait are the newest
        return len(newest_bytes) > MESSAGES_WAITING and self._line.media_waiting_bytes >= sum(newest_bytes)

    def send(self, message: bytes, frames: int) -> None:
        """Send a message that carries so many frames. Raises PeerGone."""
        self._line.send_media(message)
        self._newest_bytes.append(len(message))
        self.messages += 1
        self.frames += frames
        self.payload_bytes += len(message)
