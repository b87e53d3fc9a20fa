import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import facewire
from models.training.dataset_index import read_index
from models.training.errors import DataError
from models.training.evaluate import validate
from models.weights import build_model, save_model
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = build_model("tiny")
    about = {"source": "random", "licence": "Apache-2.0"}
    return save_model(model.networks, model.codec_tables, tmp_path_factory.mktemp("weights"), about)


@pytest.fixture
def no_lpips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.evaluate.find_lpips_weights", lambda: None)


@pytest.mark.usefixtures("no_lpips")
def test_report_and_grid(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_prepared(tmp_path / "data", clips=2, frames=9)
    out = tmp_path / "out"
    arguments = ["validate", str(weights), "--data", str(data), "--split", "train", "--out", str(out)]
    assert facewire.run([*arguments, "--every", "2", "--first", "7", "--no-landmarks"]) == 0
    words = capsys.readouterr().out
    assert "LPIPS is left out: no weights" in words
    assert "id000_0" in words
    report = json.loads((out / "report.json").read_text())
    assert [clip["name"] for clip in report["clips"]] == ["id000_0", "id001_0"]
    assert [clip["frames"] for clip in report["clips"]] == [3, 3]  # frames 2, 4, 6
    mean = report["mean"]["repeat_source"]
    assert mean["psnr_db"] == pytest.approx(sum(clip["repeat_source"]["psnr_db"] for clip in report["clips"]) / 2)
    assert mean["lpips"] is None
    assert mean["akd_px"] is None
    assert 5 < mean["psnr_db"] < 40
    assert report["size_px"] == 64
    assert report["same_person"]["all_sources"]["frames"] == 6
    assert report["same_person"]["all_sources"]["chance"] == 0.5
    assert "without the own clip" in words
    grid = cv2.imread(str(out / "grid.png"))
    assert grid is not None
    assert grid.shape == (20 + 2 * 192, 10 * 192, 3)
    assert grid[20:212, :192].std() > 5  # a picture, not a blank


@pytest.mark.usefixtures("no_lpips")
def test_repeat_source_is_perfect_on_a_still_clip(weights: Path, tmp_path: Path) -> None:
    data = write_prepared(tmp_path / "data", clips=1, frames=4, stills=0)
    path = data / read_index(data).clips[0].video
    frame = cv2.VideoCapture(str(path)).read()[1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 15.0, (256, 256))
    if not writer.isOpened():
        pytest.skip("needs OpenCV's lossless encoder")
    for _ in range(4):
        writer.write(frame)
    writer.release()
    validate(weights, data, "train", tmp_path / "out", every=1, first=150, lpips=None, landmarks=False)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["mean"]["repeat_source"]["psnr_db"] == 100.0
    assert report["mean"]["model"]["psnr_db"] < 100.0


@pytest.mark.usefixtures("no_lpips")
def test_errors_are_one_line(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_prepared(tmp_path / "data", clips=1, frames=6, stills=1)
    for arguments, words in (
        (["--data", str(tmp_path / "none")], "expected prepared data in"),
        (["--data", str(data), "--split", "val"], "has the sets: stills, train"),
        (["--data", str(data), "--split", "stills"], "got stills only"),
        (["--data", str(data), "--split", "train", "--no-landmarks"], "expected 6 frames, more than 6"),
    ):
        assert facewire.run(["validate", str(weights), *arguments, "--out", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err.strip()
        assert words in error
        assert len(error.splitlines()) == 1


def test_a_clip_that_was_cut_short_is_noticed(weights: Path, tmp_path: Path, no_lpips: None) -> None:
    data = write_prepared(tmp_path / "data", clips=2, frames=8, stills=0)
    clips = read_index(data).clips
    (data / clips[0].video).write_bytes(b"")
    with pytest.raises(DataError, match="expected the clip id000_0"):
        validate(weights, data, "train", tmp_path / "out", every=2, lpips=None, landmarks=False)


@pytest.mark.usefixtures("no_lpips")
def test_twice_the_size_beside_the_own_size_scaled_up(weights: Path, tmp_path: Path) -> None:
    data = write_prepared(tmp_path / "data", clips=1, frames=5, stills=0)
    (clip,) = read_index(data).clips
    originals = tmp_path / "originals"
    originals.mkdir()
    shutil.copy(data / clip.video, originals)
    index = json.loads((data / "index.json").read_text())
    index["clips"][0]["source_sha256"] = hashlib.sha256((data / clip.video).read_bytes()).hexdigest()
    (data / "index.json").write_text(json.dumps(index))
    validate(weights, data, "train", tmp_path, every=2, lpips=None, landmarks=False, size=128, originals=originals)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["size_px"] == 128
    assert set(report["mean"]) == {"model", "scaled_up", "repeat_source"}
    assert report["mean"]["scaled_up"]["psnr_db"] != report["mean"]["model"]["psnr_db"]
    with pytest.raises(DataError, match="--size: expected --originals with it"):
        validate(weights, data, "train", tmp_path, size=128)
    with pytest.raises(DataError, match="--size: expected 64 or 128 for this model, got 100"):
        validate(weights, data, "train", tmp_path, size=100)
    (originals / Path(clip.video).name).write_bytes(b"another")
    with pytest.raises(DataError, match="expected the clip from which .* was cut at .*, got another one"):
        validate(weights, data, "train", tmp_path, every=2, landmarks=False, size=128, originals=originals)


def test_sheets_of_other_views(weights: Path, tmp_path: Path) -> None:
    data = write_prepared(tmp_path / "data", clips=2, frames=4, stills=0)
    arguments = ["--data", str(data), "--split", "train", "--out", str(tmp_path / "out"), "--views"]
    assert facewire.run(["validate", str(weights), *arguments]) == 0
    views = cv2.imread(str(tmp_path / "out" / "views.jpg"))
    people = cv2.imread(str(tmp_path / "out" / "people.jpg"))
    assert views is not None and views.shape == (20 + 2 * 192, 10 * 192, 3)  # noqa: PT018
    assert people is not None and people.shape == (20 + 2 * 192, 4 * 192, 3)  # noqa: PT018
    frontal, far = views[20:212, 5 * 192 : 6 * 192], views[20:212, 2 * 192 : 3 * 192]
    assert np.abs(frontal.astype(int) - far).mean() > 1
    assert far[100, 1, 2] > 200  # yaw -30 is beyond cautious limits: a red frame
    assert far[100, 1, 1] < 90
