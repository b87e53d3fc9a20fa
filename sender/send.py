"""Media messages leave, or are dropped: what waits in a full channel is old before it arrives."""

from typing import Protocol

LEAST_MESSAGE_BYTES = 64
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
        self._largest_bytes = LEAST_MESSAGE_BYTES
        self.messages = 0
        self.frames = 0
        self.payload_bytes = 0

    @property
    def congested(self) -> bool:
        """Whether more than two messages wait: the link is slower than we are, and the next frames must be dropped."""
        return self._line.media_waiting_bytes > MESSAGES_WAITING * self._largest_bytes

    def send(self, message: bytes, frames: int) -> None:
        """Send a message that carries so many frames. Raises PeerGone."""
        self._line.send_media(message)
        self._largest_bytes = max(self._largest_bytes, len(message))
        self.messages += 1
        self.frames += frames
        self.payload_bytes += len(message)
