"""`facewire replay check`: what is as before passes, what got worse is named and drawn."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Pillow

import facewire
from codec.recording_records import Direction, MediaRecord
from models.weights import Model
from replay.check import check, compare, make_baseline, play, read_baseline
from replay.errors import CheckError
from tests.replay.recorded import two_way, write
from tests.replay.tiny import save_tiny

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def folder(tmp_path: Path, model: Model) -> Path:
    """Two recordings and their baseline."""
    write(tmp_path / "a.fwr", model, two_way(model))
    write(tmp_path / "b.fwr", model, two_way(model, clock_s=1.0))
    assert facewire.run(command(tmp_path, model, "--update")) == 0
    return tmp_path


def command(folder: Path, model: Model, *more: str) -> list[str]:
    baseline = str(folder / "base.json")
    return ["replay", "check", str(folder), "--baseline", baseline, "--weights", str(model.folder), *more]


def test_as_before(folder: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert facewire.run(command(folder, model)) == 0
    assert capsys.readouterr().out.splitlines() == ["a.fwr: as before", "b.fwr: as before"]


def test_a_call_that_got_worse_is_named_and_drawn(
    folder: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    """Messages are missing: fewer frames, later ones, other integers, other pictures."""
    records = two_way(model)
    lost = [one for one in records if isinstance(one, MediaRecord) and one.direction is Direction.RECEIVED][12:20]
    write(folder / "a.fwr", model, [one for one in records if one not in lost])
    capsys.readouterr()
    assert facewire.run(command(folder, model, "--out", str(folder / "worse"))) == 1
    said = capsys.readouterr()
    assert "worse: a.fwr" in said.err
    assert "b.fwr: as before" in said.out
    for words in ("a.fwr: worse", "read as other motion", "frames: ", "messages that cannot be read: ", "side by side"):
        assert words in said.out
    with Pillow.open(folder / "worse" / "a.png") as sheet:
        assert sheet.size[0] == 3 * 256 + 4 * 20
    assert not (folder / "worse" / "b.png").exists()


def test_other_weights_show(folder: Path, model: Model, tmp_path: Path) -> None:
    """The same tables, other networks: motion is read as before, pictures are others."""
    other = save_tiny(tmp_path / "other", seed=1)
    for verdict in check(folder, folder / "base.json", other):
        assert [words.split(":")[0] for words in verdict.worse] == ["its pictures changed"]


def test_gone_new_and_unplayable(folder: Path, model: Model) -> None:
    (folder / "a.fwr").rename(folder / "c.fwr")
    (folder / "b.fwr").write_text("no recording")
    a, b, c = check(folder, folder / "base.json", model)
    assert a.worse == ["the recording is gone"]
    assert "it cannot be played any more: expected a facewire recording" in b.worse[0]
    assert c.worse == ["it is not in the baseline: take it in with --update"]


def test_what_counts_as_worse(folder: Path) -> None:
    before = read_baseline(folder / "base.json")["a.fwr"]
    assert compare(before, before) == ([], [])
    assert compare(before, replace(before, on_time=before.on_time - 0.004)) == ([], [])
    assert compare(before, replace(before, on_time=0.9))[0] == ["share on time: 0.9, was 1"]
    assert compare(replace(before, unreadable=5), before) == ([], ["messages that cannot be read: 0, was 5"])
    seen = replace(before, camera_db=[23.0, 23.4])
    assert compare(seen, replace(seen, camera_db=[22.0, 22.4]))[0] == ["PSNR to the camera in dB: 22.2, was 23.2"]
    assert compare(seen, replace(seen, camera_db=[25.0, 25.4]))[1] == ["PSNR to the camera in dB: 25.2, was 23.2"]
    # other pictures that are as near to the camera are told, and no fault
    assert compare(seen, replace(seen, kept_db=[30.0] * len(seen.kept_db)))[0] == []
    assert "its pictures changed" in compare(before, replace(before, kept_db=[30.0] * len(before.kept_db)))[0][0]


def test_no_recordings_and_no_baseline(tmp_path: Path, folder: Path, model: Model) -> None:
    with pytest.raises(CheckError, match="expected a folder with recordings"):
        check(tmp_path / "none", folder / "base.json", model)
    with pytest.raises(CheckError, match=r"expected a baseline, got none.*--update"):
        check(folder, folder / "none.json", model)
    (folder / "bad.json").write_text('{"version": 1}')
    with pytest.raises(CheckError, match="expected a baseline, got something else"):
        check(folder, folder / "bad.json", model)
    (folder / "bad.json").write_text(json.dumps({"version": 9, "calls": {}}))
    with pytest.raises(CheckError, match="expected a baseline of version 1, got 9"):
        check(folder, folder / "bad.json", model)
    with pytest.raises(CheckError, match="expected a folder with recordings"):
        make_baseline(tmp_path / "none", tmp_path / "base.json", model)


def test_what_the_camera_saw_is_compared_where_it_is_at_hand(folder: Path, model: Model) -> None:
    assert facewire.run(["replay", str(folder / "a.fwr"), "--output", str(folder / "a.mp4"), *_weights(model)]) == 0
    figures, _ = play(folder / "b.fwr", model)
    assert figures.camera_db == []


def _weights(model: Model) -> list[str]:
    return ["--weights", str(model.folder)]


@pytest.mark.weights
@pytest.mark.slow
def test_the_projects_own_recordings_are_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    """Made by tests/recordings/make.py with the shipped weights; after others were trained, make them anew."""
    code = facewire.run(["replay", "check", str(RECORDINGS), "--baseline", str(RECORDINGS / "base.json")])
    said = capsys.readouterr().out
    assert code == 0, said
    assert [line.partition(":")[0] for line in said.splitlines()] == ["lossy.fwr", "paper.fwr", "plain.fwr"]
