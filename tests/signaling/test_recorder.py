"""recorder.py: what crosses is in the file before long, each with its direction; a full disk ends no call."""

import asyncio
from pathlib import Path

import pytest

from codec.errors import RecordingError
from codec.recording import RecordingReader
from codec.recording_records import (
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    SourceRecord,
    StatisticsRecord,
)
from signaling.control_messages import Mute
from signaling.peer import Peer
from signaling.recorder import CallRecorder, LinkFigures

pytestmark = pytest.mark.network
TABLES = "0" * 64


async def test_a_connection_is_recorded_as_it_crosses(tmp_path: Path) -> None:
    times = iter([10.0] + [10.0 + step / 10 for step in range(1, 99)])
    recorder = CallRecorder(tmp_path / "a.fwr", "model", TABLES, now=lambda: next(times))
    peer = Peer()
    try:
        recorder.attach(peer, clock_s=9.5, held=[(Direction.SENT, b"held")])
        peer.control.on_crossed(True, Mute(on=True).model_dump_json())
        peer.on_media_crossed(False, b"theirs")
        peer.on_media_crossed(True, b"ours")
        peer.on_media_crossed(False, b"")  # no message at all
        recorder.source(Direction.RECEIVED, b"picture", "image/webp")
        recorder.source(Direction.RECEIVED, b"picture", "image/webp")  # written once
        recorder.statistics(LinkFigures(loss_received=0.25, round_trip_s=0.06))
        recorder.detach()
        peer.on_media_crossed(True, b"not of this recording")
        recorder.close()
    finally:
        await peer.close()
    reader = RecordingReader(tmp_path / "a.fwr")
    connection, held, mute, theirs, ours, source, statistics = list(reader)
    assert reader.complete
    assert isinstance(connection, ConnectionRecord)
    assert connection.clock_s == -0.5
    assert isinstance(held, MediaRecord)
    assert (held.direction, held.message) == (Direction.SENT, b"held")
    assert isinstance(mute, ControlRecord)
    assert mute.direction is Direction.SENT
    assert [(one.direction, one.message) for one in (theirs, ours) if isinstance(one, MediaRecord)] == [
        (Direction.RECEIVED, b"theirs"),
        (Direction.SENT, b"ours"),
    ]
    assert isinstance(source, SourceRecord)
    assert isinstance(statistics, StatisticsRecord)
    assert (statistics.loss_received, statistics.round_trip_s) == (0.25, 0.06)


async def test_messages_are_in_the_file_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.recorder._FLUSH_S", 0.01)
    recorder = CallRecorder(tmp_path / "a.fwr", "model", TABLES)
    peer = Peer()
    try:
        recorder.attach(peer)
        for message in (b"one", b"two"):
            peer.on_media_crossed(False, message)
            async with asyncio.timeout(10):
                while newest(tmp_path / "a.fwr") != message:  # noqa: ASYNC110, another program would look so
                    await asyncio.sleep(0.01)
    finally:
        recorder.close()
        await peer.close()


def newest(path: Path) -> bytes | None:
    messages = [one for _, one in RecordingReader(path).messages()]
    return messages[-1] if messages else None


async def test_a_full_disk_is_told_and_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = CallRecorder(tmp_path / "a.fwr", "model", TABLES)

    def full(self: object, content: bytes) -> None:
        raise RecordingError("cannot write the recording a.fwr: No space left on device")

    monkeypatch.setattr("codec.recording.RecordingWriter._write", full)
    recorder.source(Direction.SENT, b"picture", "image/webp")
    assert "No space left" in str(recorder.error)
    recorder.source(Direction.SENT, b"another", "image/webp")
    recorder.close()
    assert "No space left" in str(recorder.error)
