"""Calls are recorded: from their start or from a press of the button on, whole, and both sides know it."""

import asyncio
from pathlib import Path

import pytest

from call.engine import Engine
from call.page_messages import ErrorMessage, RecordMessage
from call.room_link import RoomLink
from call.taping import Taping
from codec.errors import RecordingError
from codec.recording import RecordingReader
from codec.recording_records import Direction, MediaRecord
from models.weights import Model
from replay.recorded_call import RecordedCall, read_call
from tests.call.engines import make_engine, until
from tests.call.fronts import Remembering, act

pytestmark = pytest.mark.network


def told(front: Remembering) -> list[tuple[str, bool]]:
    """Who was said to record."""
    return [(message.who, message.on) for message in front.messages if isinstance(message, RecordMessage)]


def read(path: Path, model: Model) -> RecordedCall:
    return read_call(RecordingReader(path), model.codec_tables)


async def test_a_call_is_recorded_on_both_sides_from_its_start_and_from_the_middle(
    tiny: Model, url: str, tmp_path: Path
) -> None:
    fronts = [Remembering(), Remembering()]
    a, b = (make_engine(tiny, RoomLink(url, "r"), front, recordings=tmp_path / "b") for front in fronts)
    a.taping.begin(tmp_path / "a.fwr")
    tasks = [
        asyncio.create_task(work) for one, engine in enumerate((a, b)) for work in (begin(engine), act(engine, one))
    ]
    try:
        await until(lambda: all(len(front.pictures) > 3 for front in fronts), 60)
        await until(lambda: ("them", True) in told(fronts[1]))
        frames = b.conversation.incoming.frames if b.conversation else 0
        b.record(True)
        await until(lambda: b.conversation is not None and b.conversation.incoming.frames > frames + 10, 60)
        b.record(False)
        await until(lambda: ("them", False) in told(fronts[0]))
        a.leave()
        await asyncio.wait_for(tasks[0], 20)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert told(fronts[0])[:2] == [("me", True), ("them", True)]
    whole, part = read(tmp_path / "a.fwr", tiny), read(next((tmp_path / "b").glob("call-*.fwr")), tiny)
    for call in (whole, part):
        assert (call.complete, call.damage, len(call.connections)) == (True, None, 1)
        assert call.statistics
        for face in call.faces.values():
            assert len(face.sources) == 1
            assert face.frames
            assert face.sounds
            places_s = [motion.capture_time_s for motion in face.motions]
            assert places_s == sorted(set(places_s))
            assert min(places_s) >= 0
            assert max(places_s) <= call.end_s
    assert whole.control["hello"] == 2
    assert whole.control["recording"] >= 3
    assert part.connections[0].clock_s < -0.5
    assert [face.unreadable for face in part.faces.values()] == [0, 0]
    # what one side received in the middle is what the other one sent
    sent = {one.message for one in media(tmp_path / "a.fwr", Direction.SENT)}
    received = [one.message for one in media(next((tmp_path / "b").glob("*.fwr")), Direction.RECEIVED)]
    assert sum(message in sent for message in received) >= len(received) - 16 > 3


async def begin(engine: Engine) -> str:
    engine.start(consent=True)
    return await engine.run()


def media(path: Path, direction: Direction) -> list[MediaRecord]:
    return [one for one in RecordingReader(path) if isinstance(one, MediaRecord) and one.direction is direction]


async def test_a_recording_that_cannot_go_on_is_said_and_the_call_goes_on(
    tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = Remembering()
    taping = Taping(tiny, front, asyncio.get_running_loop().time)
    running = asyncio.create_task(taping.run())
    monkeypatch.setattr("call.taping.LOOK_EACH_S", 0.01)
    taping.begin(tmp_path / "call.fwr")

    def full(self: object, content: bytes) -> None:
        raise RecordingError("cannot write the recording call.fwr: No space left on device")

    monkeypatch.setattr("codec.recording.RecordingWriter._write", full)
    taping.source(Direction.SENT, b"picture", "image/webp")
    await until(lambda: not taping.on)
    running.cancel()
    assert "No space left" in str(taping.error)
    assert told(front) == [("me", True), ("me", False)]
    errors = [message.words for message in front.messages if isinstance(message, ErrorMessage)]
    assert errors == ["the recording ended: cannot write the recording call.fwr: No space left on device"]


def test_a_recording_that_cannot_begin_is_said(tiny: Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    front = Remembering()
    engine = make_engine(tiny, RoomLink("ws://127.0.0.1:1", "r"), front, recordings=tmp_path / "file" / "folder")
    try:
        engine.record(True)
        assert not engine.taping.on
        assert told(front) == [("me", False)]
        (error,) = [message.words for message in front.messages if isinstance(message, ErrorMessage)]
        assert error.startswith(f"cannot record into {tmp_path}/file/folder: ")
    finally:
        engine._close()


def test_nobody_there_leaves_no_file(tiny: Model, tmp_path: Path) -> None:
    taping = Taping(tiny, Remembering(), lambda: 0.0)
    taping.begin_in(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".fwr"]
    taping.end()
    assert not list(tmp_path.iterdir())
