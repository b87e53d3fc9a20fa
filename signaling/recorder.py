"""Records a call as it crosses: every message of either channel with its time, source pictures, figures of the link.

A recording is no reason to end a call: where it cannot go on `error` says why, and the call does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from codec.errors import RecordingError
from codec.recording import RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import (
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
    StatisticsRecord,
)
from codec.wire import MAX_MESSAGE_BYTES
from signaling.peer import Peer

STATISTICS_EACH_S: Final = 10.0
_FLUSH_S: Final = 0.8
"""So long messages wait for their block at most: a program that is killed loses less than a second."""


class LinkFigures(NamedTuple):
    """Shares of the last messages lost, of theirs and of ours; seconds, None where not known."""

    loss_received: float = 0.0
    loss_sent: float = 0.0
    round_trip_s: float | None = None
    playout_delay_s: float | None = None


class CallRecorder:
    """One recording, over all connections of a call. Its methods belong to one event loop."""

    def __init__(
        self, path: Path, model_id: str, tables_sha256: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin the file. Raises RecordingError where it cannot be written."""
        self.path = path
        self.error: RecordingError | None = None
        self._writer = RecordingWriter(path, RecordingHeader(model_id, tables_sha256))
        self._now = now
        self._began_s = now()
        self._flush: asyncio.TimerHandle | None = None
        self._peer: Peer | None = None
        self._holds_something = False
        self._said: set[tuple[Direction, str]] = set()

    def attach(self, peer: Peer, clock_s: float | None = None, held: Iterable[tuple[Direction, bytes]] = ()) -> None:
        """Record a connection from now on, in place of the one before.

        Args: clock_s: when capture time 0 was, by `now`; None: at the beginning of the recording. held: messages that
            restate what the coders of a connection under way hold (`Decoder.restate`).
        """
        self.detach()
        offset_s = 0.0 if clock_s is None else clock_s - self._began_s
        self._add(ConnectionRecord(self._time_s(), offset_s))
        for direction, message in held:
            self._media(direction, message)
        self._peer = peer
        peer.on_media_crossed = lambda sent, message: self._media(_direction(sent), message)
        peer.control.on_crossed = lambda sent, text: self._control(_direction(sent), text)

    def detach(self) -> None:
        """Let the connection go on unrecorded."""
        if self._peer is not None:
            self._peer.on_media_crossed = lambda sent, message: None
            self._peer.control.on_crossed = lambda sent, text: None
            self._peer = None

    def source(self, direction: Direction, picture: bytes, mime: str) -> None:
        """Take a source picture, of this side (SENT) or the other one; the same one again is not written twice."""
        record = SourceRecord(self._time_s(), direction, picture, mime)
        if (direction, record.sha256) not in self._said:
            self._said.add((direction, record.sha256))
            self._add(record)

    def statistics(self, figures: LinkFigures) -> None:
        """Take figures of the link as of now; the bytes at the socket are the connection's own."""
        tap = self._peer.tap if self._peer is not None else None
        sent, received = (tap.sent.bytes, tap.received.bytes) if tap is not None else (0, 0)
        lost_in, lost_out = (min(max(loss, 0.0), 1.0) for loss in (figures.loss_received, figures.loss_sent))
        times_s = figures.round_trip_s, figures.playout_delay_s
        self._add(StatisticsRecord(self._time_s(), sent, received, lost_in, lost_out, *times_s))

    async def keep_statistics(self, read: Callable[[], LinkFigures], each_s: float = STATISTICS_EACH_S) -> None:
        """Take figures each ten seconds until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(each_s)
                self.statistics(read())
        finally:
            self.statistics(read())

    def close(self) -> None:
        """Finish the file; a second call does nothing. Where nobody could be seen or heard it is deleted."""
        self.detach()
        self._cancel_flush()
        self._guarded(self._writer.close)
        if not self._holds_something:
            self.path.unlink(missing_ok=True)

    def _media(self, direction: Direction, message: bytes) -> None:
        # What is too short or too long for a recording is no media message either; the decoder counts it as bad.
        if not 1 <= len(message) <= MAX_MESSAGE_BYTES:
            return
        self._add(MediaRecord(self._time_s(), direction, message))
        if self._flush is None and self.error is None:
            self._flush = asyncio.get_running_loop().call_later(_FLUSH_S, self._flush_now)

    def _control(self, direction: Direction, text: str) -> None:
        try:
            record = ControlRecord(self._time_s(), direction, text)
        except RecordingError:
            return  # longer than any message of ours: who reads it will say so
        self._add(record)

    def _flush_now(self) -> None:
        self._flush = None
        self._guarded(self._writer.flush)

    def _cancel_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _add(self, record: Record) -> None:
        self._holds_something |= isinstance(record, MediaRecord | SourceRecord)
        self._guarded(lambda: self._writer.add(record))

    def _guarded(self, write: Callable[[], None]) -> None:
        if self.error is not None:
            return
        try:
            write()
        except RecordingError as error:
            self.error = error
            self._cancel_flush()

    def _time_s(self) -> float:
        return max(0.0, self._now() - self._began_s)


def _direction(sent: bool) -> Direction:
    return Direction.SENT if sent else Direction.RECEIVED
