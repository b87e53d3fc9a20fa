"""Media messages come in: stamped, recorded, and put into line for decoding."""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from codec.errors import RecordingError
from codec.wire import MAX_MESSAGE_BYTES
from signaling.dropping_queue import DroppingQueue


class Received(NamedTuple):
    """One message and when it came, in seconds of the inbox's clock."""

    received_s: float
    message: bytes


class Recorder(Protocol):
    """What of codec.recording.RecordingWriter is needed here."""

    def write(self, received_time_s: float, message: bytes) -> None:
        """Append one message, with seconds since the recording began. Raises RecordingError."""


class Inbox:
    """Takes messages in the event loop's callback. All of them are recorded, also those that are dropped later."""

    def __init__(self, limit: int, recorder: Recorder | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self.waiting: DroppingQueue[Received] = DroppingQueue(limit)
        self.payload_bytes = 0
        self.record_error: RecordingError | None = None
        """Why the recording stopped. The call goes on without it and says so when it is over."""
        self._recorder = recorder
        self._ended = False
        self._now = now
        self._began_s = now()

    def take(self, message: bytes) -> None:
        """Take one message as it comes off the wire; after the end there is nobody to take it."""
        if self._ended:
            return
        received = Received(self._now(), message)
        self.payload_bytes += len(message)
        self._record(received)
        self.waiting.put(received)

    def end(self) -> None:
        """Say that the call is over: what comes now is not part of it."""
        self._ended = True
        self.waiting.end()

    def _record(self, received: Received) -> None:
        # What is too short or too long for a recording is no media message either: the decoder will count it as bad.
        if self._recorder is None or self.record_error or not 1 <= len(received.message) <= MAX_MESSAGE_BYTES:
            return
        try:
            self._recorder.write(received.received_s - self._began_s, received.message)
        except RecordingError as error:
            self.record_error = error
