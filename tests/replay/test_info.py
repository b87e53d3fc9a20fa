"""`facewire replay info`: every figure by hand, and what it says of recordings that are cut, lossy, not its own."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import facewire
from codec.acknowledgement import Acknowledgement
from codec.encoder import Encoder
from codec.errors import RecordingError
from codec.motion import Motion
from codec.recording import RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import Direction, SourceRecord
from codec.wire import Level, Profile
from models.weights import Model
from replay.errors import ModelMismatch
from replay.info import read_info
from tests.replay.tiny import save_tiny

SOURCE = b"picture"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def encoded(model: Model, messages: int, profile: Profile = Profile.PREDICTIVE) -> list[bytes]:
    """Messages of two frames each, 40 ms apart."""
    encoder = Encoder(model.codec_tables, profile, Level.MEDIUM)
    random = np.random.default_rng(3)
    vectors = random.normal(0, 0.1, (2 * messages, 3 * model.config.keypoints + 6))
    motions = [Motion.from_vector(vector, index / 25) for index, vector in enumerate(vectors)]
    return [encoder.encode(motions[2 * index : 2 * index + 2]) for index in range(messages)]


def record(path: Path, model: Model, messages: list[bytes]) -> Path:
    header = RecordingHeader(model.model_id, model.codec_tables.sha256)
    with RecordingWriter(path, header) as writer:
        writer.add(SourceRecord(0.0, Direction.RECEIVED, SOURCE, "image/webp"))
        for place, message in enumerate(messages):
            writer.write(place / 10, message)
    return path


def test_json_has_every_figure(tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    messages = encoded(model, 5)
    path = record(tmp_path / "a.fwr", model, messages)
    assert facewire.run(["replay", "info", str(path), "--json", "--weights", str(model.folder)]) == 0
    media = sum(map(len, messages))
    nothing = dict.fromkeys(("bytes_per_frame", "kbps", "profile", "level"))
    counts = dict.fromkeys(("frames", "duration_s", "messages", "media_bytes", "sound_bytes", "unreadable"), 0)
    told = json.loads(capsys.readouterr().out)
    integers_sha256 = told["received"].pop("integers_sha256")
    assert told["sent"].pop("integers_sha256") == hashlib.sha256().hexdigest() != integers_sha256
    assert told == {
        "shown": "received",
        "received": counts
        | {
            "frames": 10,
            "duration_s": 0.4,
            "messages": 5,
            "media_bytes": media,
            "bytes_per_frame": round(media / 10, 2),
            "kbps": round(media * 8 / 400, 2),
            "profile": "predictive",
            "level": "medium",
            "codings": {"predictive, medium": 5},
        },
        "sent": counts | nothing | {"codings": {}},
        "end_s": 0.4,
        "connections": 0,
        "sources": [
            {
                "direction": "received",
                "time_s": 0.0,
                "mime": "image/webp",
                "bytes": len(SOURCE),
                "sha256": hashlib.sha256(SOURCE).hexdigest(),
            }
        ],
        "control": {},
        "statistics": [],
        "file_bytes": path.stat().st_size,
        "overhead": round(path.stat().st_size / (media + len(SOURCE)) - 1, 4),
        "keypoints": model.config.keypoints,
        "model_id": model.model_id,
        "tables_sha256": model.codec_tables.sha256,
        "complete": True,
        "damage": None,
    }


def test_table_for_people(tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    path = record(tmp_path / "a.fwr", model, encoded(model, 5, Profile.PAPER))
    assert facewire.run(["replay", "info", str(path), "--weights", str(model.folder)]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("10, 25.00 a second", "0.40 s", "paper", model.model_id[:12], "closed"))


def test_paper_has_no_level(tmp_path: Path, model: Model) -> None:
    info = read_info(record(tmp_path / "a.fwr", model, encoded(model, 2, Profile.PAPER)), model).received
    assert (info.profile, info.level, info.codings) == ("paper", None, {"paper": 2})


def test_messages_lost_on_the_wire(tmp_path: Path, model: Model) -> None:
    """Without the third message the two after it cannot be read: nothing in them repeats it."""
    messages = encoded(model, 5)
    path = record(tmp_path / "a.fwr", model, messages[:2] + messages[3:])
    info = read_info(path, model).received
    assert (info.frames, info.messages, info.unreadable) == (4, 4, 2)
    assert info.media_bytes == sum(map(len, messages)) - len(messages[2])


def test_messages_without_motion_count_as_bytes_only(tmp_path: Path, model: Model) -> None:
    answer = Encoder(model.codec_tables).encode([], acknowledge=Acknowledgement(7, 1))
    info = read_info(record(tmp_path / "a.fwr", model, [answer]), model).received
    assert (info.frames, info.messages, info.media_bytes) == (0, 1, len(answer))
    assert (info.duration_s, info.bytes_per_frame, info.kbps, info.profile, info.codings) == (0, None, None, None, {})


def test_cut_recording_is_counted_up_to_the_cut(
    tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "a.fwr", model, encoded(model, 5))
    path.write_bytes(path.read_bytes()[:-60])  # in the middle of the messages
    assert facewire.run(["replay", "info", str(path), "--json", "--weights", str(model.folder)]) == 1
    output = capsys.readouterr()
    info = json.loads(output.out)
    assert info["received"]["frames"] == 0
    assert info["sources"]
    assert not info["complete"]
    assert "cut off at byte" in info["damage"]
    assert output.err.startswith("facewire: ")
    assert "cut off at byte" in output.err


def test_recording_whose_writer_was_killed(tmp_path: Path, model: Model) -> None:
    path = record(tmp_path / "a.fwr", model, encoded(model, 5))
    path.write_bytes(path.read_bytes()[:-7])  # the end block
    info = read_info(path, model)
    assert (info.received.frames, info.complete, info.damage) == (10, False, None)


def test_other_model_and_no_recording(tmp_path: Path, model: Model) -> None:
    other = save_tiny(tmp_path / "other", seed=1)
    with pytest.raises(ModelMismatch, match="name its weights with --weights"):
        read_info(record(tmp_path / "a.fwr", model, encoded(model, 1)), other)
    (tmp_path / "b.fwr").write_text("something else")
    with pytest.raises(RecordingError, match="expected a facewire recording"):
        read_info(tmp_path / "b.fwr", model)
    with pytest.raises(RecordingError, match="No such file"):
        read_info(tmp_path / "c.fwr", model)
