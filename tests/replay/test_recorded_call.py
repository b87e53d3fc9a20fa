"""A recording read whole: places, pictures, connections, and what cannot be read."""

from pathlib import Path

import pytest

from codec.recording import RecordingReader
from codec.recording_records import ConnectionRecord, ControlRecord, Direction, MediaRecord, Record
from models.weights import Model
from replay.errors import DamagedRecording
from replay.recorded_call import RecordedCall, read_call
from tests.replay.recorded import FRAMES, messages, motions, source, two_way, write
from tests.replay.tiny import save_tiny

RECEIVED, SENT = Direction.RECEIVED, Direction.SENT


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def read(path: Path, model: Model) -> RecordedCall:
    return read_call(RecordingReader(path), model.codec_tables)


def test_both_faces_at_their_places_with_their_pictures(tmp_path: Path, model: Model) -> None:
    call = read(write(tmp_path / "a.fwr", model, two_way(model, clock_s=0.5)), model)
    assert (call.complete, call.damage, call.shown) == (True, None, RECEIVED)
    for direction in Direction:
        face = call.faces[direction]
        assert [round(motion.capture_time_s, 3) for motion in face.motions] == [
            round(0.5 + index / 25, 3) for index in range(FRAMES)
        ]
        assert face.unreadable == 0
        assert all(came.arrival_s >= came.motion.capture_time_s - 1e-6 for came in face.frames)
    assert [source.from_s for source in call.faces[RECEIVED].sources][1:] == [1.5]
    assert len(call.faces[SENT].sources) == 1
    assert call.control == {"source_use": 1}
    assert call.faces[RECEIVED].integers_sha256 != call.faces[SENT].integers_sha256


def test_another_connection_begins_anew(tmp_path: Path, model: Model) -> None:
    """The first connection's motion goes up to 2 s, the second's media clock begins at 5 s."""
    moving = messages(model, motions(model))
    again = [ConnectionRecord(5.0, 5.0)] + [
        MediaRecord(5 + index / 10, RECEIVED, one) for index, one in enumerate(moving)
    ]
    call = read(write(tmp_path / "a.fwr", model, [*two_way(model), *again]), model)
    assert len(call.connections) == 2
    assert len(call.faces[RECEIVED].frames) == 2 * FRAMES
    assert call.faces[RECEIVED].motions[FRAMES].capture_time_s == pytest.approx(5.0)
    assert call.faces[RECEIVED].unreadable == 0


def test_what_is_missing_or_foreign_is_counted(tmp_path: Path, model: Model) -> None:
    moving = messages(model, motions(model, 20))
    kept = [moving[0], moving[1], *moving[3:]]  # what follows the lost one builds on it
    records: list[Record] = [source(model, RECEIVED, 1)]
    records += [MediaRecord(index / 10, RECEIVED, one) for index, one in enumerate(kept)]
    records += [MediaRecord(3.0, RECEIVED, b"no message"), ControlRecord(3.0, SENT, '{"type":"of a newer program"}')]
    call = read(write(tmp_path / "a.fwr", model, records), model)
    assert len(call.faces[RECEIVED].frames) == 4
    assert call.faces[RECEIVED].unreadable == len(kept) - 2 + 1
    assert call.control == {"?": 1}


def test_overtaken_messages_are_read_in_the_end(tmp_path: Path, model: Model) -> None:
    moving = messages(model, motions(model, 8))
    order = [moving[index] for index in (0, 2, 1, 3)]
    records = [MediaRecord(index / 10, RECEIVED, one) for index, one in enumerate(order)]
    face = read(write(tmp_path / "a.fwr", model, [source(model, RECEIVED, 1), *records]), model).faces[RECEIVED]
    assert (len(face.frames), face.unreadable) == (8, 0)


def test_only_what_was_sent(tmp_path: Path, model: Model) -> None:
    records: list[Record] = [source(model, SENT, 2), MediaRecord(0.1, SENT, messages(model, motions(model, 2))[0])]
    path = write(tmp_path / "a.fwr", model, records)
    call = read(path, model)
    assert call.shown is SENT
    assert call.face(path) is call.faces[SENT]
    with pytest.raises(DamagedRecording, match="expected a recorded call with frames of them in it"):
        call.face(path, RECEIVED)
