"""Media messages come in: stamped, and put into line for decoding."""

import time
from collections.abc import Callable
from typing import NamedTuple

from signaling.dropping_queue import DroppingQueue


class Received(NamedTuple):
    """One message and when it came, in seconds of the inbox's clock."""

    received_s: float
    message: bytes


class Inbox:
    """Takes messages in the event loop's callback."""

    def __init__(self, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        self.waiting: DroppingQueue[Received] = DroppingQueue(limit)
        self.payload_bytes = 0
        self._ended = False
        self._now = now

    def take(self, message: bytes) -> None:
        """Take one message as it comes off the wire; after the end there is nobody to take it."""
        if self._ended:
            return
        self.payload_bytes += len(message)
        self.waiting.put(Received(self._now(), message))

    def end(self) -> None:
        """Say that the call is over: what comes now is not part of it."""
        self._ended = True
        self.waiting.end()
