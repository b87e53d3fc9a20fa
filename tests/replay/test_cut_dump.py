"""`facewire replay cut`, `dump` and `list`: parts play as the whole does there, and every record is told."""

import json
from pathlib import Path

import numpy as np
import pytest

import facewire
from codec.recording import RecordingReader
from codec.recording_records import Direction
from models.weights import Model
from replay.cut import cut_recording
from replay.errors import ClipError, DamagedRecording
from replay.recorded_call import RecordedCall, read_call
from tests.replay.recorded import two_way, write
from tests.replay.tiny import save_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def read(path: Path, model: Model) -> RecordedCall:
    return read_call(RecordingReader(path), model.codec_tables)


@pytest.mark.parametrize(("from_s", "to_s"), [(0.0, 1.3), (1.0, 2.0), (1.7, 99.0)])
def test_a_part_plays_as_the_whole_does_there(tmp_path: Path, model: Model, from_s: float, to_s: float) -> None:
    whole, part = write(tmp_path / "a.fwr", model, two_way(model)), tmp_path / "b.fwr"
    arguments = ["--from", str(from_s), "--to", str(to_s), "--weights", str(model.folder)]
    assert facewire.run(["replay", "cut", str(whole), str(part), *arguments]) == 0
    cut, call = read(part, model), read(whole, model)
    assert cut.complete
    for direction in Direction:
        before = {round(1000 * motion.capture_time_s): motion for motion in call.faces[direction].motions}
        assert cut.faces[direction].unreadable == 0
        assert len(cut.faces[direction].frames) >= 8
        for motion in cut.faces[direction].motions:
            same = before[round(1000 * (motion.capture_time_s + from_s))]
            assert np.array_equal(motion.as_vector(), same.as_vector())
        first, *others = cut.faces[direction].sources
        assert first.picture == [one for one in call.faces[direction].sources if one.from_s <= from_s][-1].picture
        later = [
            one.from_s - from_s for one in call.faces[direction].sources if from_s < one.from_s
        ]  # said at 0.9 s, before any part ends
        assert [one.from_s for one in others] == pytest.approx(later)


def test_what_cannot_be_cut(tmp_path: Path, model: Model) -> None:
    whole = write(tmp_path / "a.fwr", model, two_way(model))
    tables = model.codec_tables
    with pytest.raises(ClipError, match="expected something between 50 and 60 s, nothing crossed then"):
        cut_recording(whole, tmp_path / "b.fwr", 50.0, 60.0, tables)
    assert not (tmp_path / "b.fwr").exists()
    with pytest.raises(ClipError, match="from a time on to a later one, got 2 to 1 s"):
        cut_recording(whole, tmp_path / "b.fwr", 2.0, 1.0, tables)
    with pytest.raises(ClipError, match="expected another file for the part"):
        cut_recording(whole, whole, 0.0, 1.0, tables)
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(DamagedRecording, match=r"cut off at byte \d+.*; the \d+ records before that are in"):
        cut_recording(whole, tmp_path / "b.fwr", 0.0, 99.0, tables)
    assert read(tmp_path / "b.fwr", model).complete


def test_dump_tells_every_record(tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    records = two_way(model)
    path = write(tmp_path / "a.fwr", model, records)
    arguments = ["replay", "dump", str(path), "--weights", str(model.folder)]
    assert facewire.run([*arguments, "--json", "--bytes"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == len(records)
    media = [one for one in told if one["kind"] == "media"]
    assert sum(one["bytes"] for one in media) == sum(len(bytes.fromhex(one["message"])) for one in media)
    integers = media[4]["coded"][-1]["integers"]
    assert len(integers) == 3 * model.config.keypoints + 6
    assert [one["capture_time_s"] for one in media[0]["frames"]] == [0.0, 0.04]
    assert facewire.run(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["0.400", "s", "connection", "capture", "time", "0", "is", "at", "0.500", "s"]
    assert sum("<- media" in line for line in lines) == sum("-> media" in line for line in lines) == 25
    assert sum("source_use" in line for line in lines) == 1


def test_list_says_what_a_folder_holds(tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.fwr", model, two_way(model))
    (tmp_path / "b.fwr").write_bytes((tmp_path / "a.fwr").read_bytes()[:-30])
    (tmp_path / "c.fwr").write_text("something else")
    assert facewire.run(["replay", "list", str(tmp_path), "--json"]) == 0
    a, b, c = json.loads(capsys.readouterr().out)
    assert (a["name"], a["received"], a["sent"], a["pictures"], a["end"]) == ("a.fwr", 25, 25, 3, "closed")
    assert a["model_id"] == model.model_id
    assert "cut off at byte" in b["end"]
    assert "expected a facewire recording" in c["end"]
    assert facewire.run(["replay", "list", str(tmp_path / "none")]) == 1
