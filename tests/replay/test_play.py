"""`facewire replay call.fwr`: as it was, as on a screen, over another link, on another picture; the same every time."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import facewire
from codec.recording_records import Direction
from models.weights import Model, load_model
from receiver.look import Look
from replay.conditions import Conditions
from replay.errors import DamagedRecording, ModelMismatch, TraceError
from replay.pairs import shown_frames
from replay.play import Playing, Wish
from tests.replay.recorded import FRAMES, RATE, patches, two_way, write
from tests.replay.tiny import save_tiny

LINK = ["--drop", "0.2", "--delay", "50", "--jitter", "20", "--reorder", "0.05"]
TOLERANCE_MEAN, TOLERANCE_MOST = 0.1, 4
"""Between machines, and between ways to run the networks in full precision: mean and largest difference of a byte."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def path(tmp_path: Path, model: Model) -> Path:
    return write(tmp_path / "call.fwr", model, two_way(model))


def digests(path: Path, model: Model, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[str, str]:
    """What `--digest` prints."""
    assert facewire.run(["replay", str(path), "--digest", "--weights", str(model.folder), *more]) == 0
    found = re.search(r"^integers (\w{64})\npictures (\w{64})$", capsys.readouterr().out, re.MULTILINE)
    assert found
    return found[1], found[2]


@pytest.mark.parametrize("more", [[], ["--live"], [*LINK, "--seed", "3"]], ids=["every frame", "live", "another link"])
def test_three_runs_one_digest(path: Path, model: Model, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    assert len({digests(path, model, capsys, *more) for _ in range(3)}) == 1


def test_digests_tell_what_is_different(path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    plain = digests(path, model, capsys)
    turned = digests(path, model, capsys, "--view", "10,0")
    mine = digests(path, model, capsys, "--side", "me")
    other = digests(path, model, capsys, *LINK, "--seed", "3")
    assert len({plain[1], turned[1], mine[1], other[1], digests(path, model, capsys, *LINK, "--seed", "4")[1]}) == 5
    assert turned[0] == other[0] == plain[0] != mine[0]


def pictures(
    path: Path, model: Model, wish: Wish | None = None
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    playing = Playing(path, model, wish or Wish())
    return [image.astype(np.int64) for image, _ in playing.pictures(playing.shown())]


def test_other_ways_to_compute_give_the_same_integers_and_nearly_the_same_pictures(path: Path, model: Model) -> None:
    """Other threads, and other code for the convolutions: what machines differ in."""
    other = load_model(model.folder)
    threads = torch.get_num_threads()
    first = pictures(path, model)
    try:
        torch.set_num_threads(2)
        with torch.backends.mkldnn.flags(enabled=False):
            second = pictures(path, other)
    finally:
        torch.set_num_threads(threads)
    far = np.abs(np.stack(first) - np.stack(second))
    assert far.mean() <= TOLERANCE_MEAN
    assert far.max() <= TOLERANCE_MOST
    assert Playing(path, model, Wish()).face.integers_sha256 == Playing(path, other, Wish()).face.integers_sha256


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_integers_and_nearly_the_same_pictures(path: Path, model: Model) -> None:
    on_gpu = load_model(model.folder, torch.device("cuda"))
    far = np.abs(np.stack(pictures(path, model)) - np.stack(pictures(path, on_gpu)))
    assert far.mean() <= TOLERANCE_MEAN
    assert far.max() <= TOLERANCE_MOST


def test_every_frame_at_its_time_then_faster_then_more_of_them(tmp_path: Path, path: Path, model: Model) -> None:
    weights = ["--weights", str(model.folder)]
    for name, more in (("plain", []), ("fast", ["--speed", "4"]), ("smooth", ["--show-fps", "50"])):
        assert facewire.run(["replay", str(path), "--output", str(tmp_path / f"{name}.mp4"), *more, *weights]) == 0
    times = {
        name: [frame.capture_time_s for frame in shown_frames(tmp_path / f"{name}.mp4")]
        for name in ("plain", "fast", "smooth")
    }
    expected = np.arange(FRAMES) / RATE
    assert times["plain"] == pytest.approx(expected, abs=2e-3)
    assert times["fast"] == pytest.approx(expected / 4, abs=2e-3)
    assert len(times["smooth"]) == 2 * FRAMES - 1


def test_live_is_what_a_screen_showed(path: Path, model: Model) -> None:
    playing = Playing(path, model, Wish(live=True))
    times = [time_s for _, time_s in playing.shown()]
    assert np.diff(times) == pytest.approx(1 / 30, abs=1e-6)
    assert times[-1] == pytest.approx(FRAMES / RATE, abs=0.15)
    assert playing.played.screen_on_time == 1.0
    assert playing.played.longest_freeze_ms == 0


def test_another_link_loses_and_delays(path: Path, model: Model) -> None:
    bad = Wish(conditions=Conditions(drop=0.5, delay_ms=100, seed=1))
    playing = Playing(path, model, bad)
    shown = list(playing.shown())
    assert shown
    assert playing.live
    assert playing.played.screen_on_time is not None
    assert playing.played.screen_on_time < 1.0
    good = Playing(path, model, Wish(conditions=Conditions(delay_ms=100)))
    list(good.shown())
    assert (good.played.frames_lost, good.played.screen_on_time) == (0, 1.0)
    with pytest.raises(TraceError, match="shares of packets from 0 to 1"):
        Conditions(drop=1.0)
    with pytest.raises(TraceError, match="delay and jitter of 0 to 10000 ms"):
        Conditions(delay_ms=-1)


def test_the_source_picture_changes_when_the_call_said(path: Path, model: Model) -> None:
    """Without it, the pictures up to the change stay as they were and those after it are others."""
    both = pictures(path, model)
    playing = Playing(path, model, Wish())
    playing.face.sources[1:] = []
    playing._pictures = playing._pictures[:1]
    alone = [image.astype(np.int64) for image, _ in playing.pictures(playing.shown())]
    same = [bool((a == b).all()) for a, b in zip(both, alone, strict=True)]
    assert same == [index / RATE < 1.0 - 1e-9 for index in range(FRAMES)]


def test_on_another_picture(tmp_path: Path, path: Path, model: Model) -> None:
    portrait = tmp_path / "portrait.png"
    Pillow.fromarray(patches(model, 9)).save(portrait)
    relative, absolute = (
        pictures(path, model, Wish(source=portrait, relative=relative))[:3] for relative in (True, False)
    )
    assert np.abs(relative[0] - pictures(path, model)[0]).mean() > 2
    assert np.abs(np.stack(relative) - np.stack(absolute)).mean() > 0.1


def test_another_model_renders_what_the_recorded_one_decodes(tmp_path: Path, path: Path, model: Model) -> None:
    other = save_tiny(tmp_path / "other", seed=1)
    assert np.abs(pictures(path, other)[0] - pictures(path, model)[0]).mean() > 0.5  # both have the tiny tables
    with_other = Playing(path, other, Wish(), recorded_with=model.folder)
    assert with_other.face.integers_sha256 == Playing(path, model, Wish()).face.integers_sha256


def test_missing_model(path: Path) -> None:
    """The shipped model has other tables and another number of keypoints than the tiny one."""
    with pytest.raises(ModelMismatch, match=r"expected the model that it was recorded with.*--recorded-with"):
        Playing(path, load_model(), Wish())


def test_damaged_recording_plays_up_to_the_damage(
    tmp_path: Path, path: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(path.read_bytes()[:-60])
    out, report = tmp_path / "out.mp4", tmp_path / "report.json"
    arguments = ["--output", str(out), "--report", str(report), "--weights", str(model.folder)]
    assert facewire.run(["replay", str(path), *arguments]) == 1
    error = capsys.readouterr().err
    figures = json.loads(report.read_text())
    assert f"cut off at byte {re.findall('byte ([0-9]+)', error)[0]}" in error
    assert 0 < figures["frames"] == len(list(shown_frames(out))) < FRAMES
    assert f"the {figures['frames']} frames before that were played" in error


def test_nothing_to_show(tmp_path: Path, model: Model) -> None:
    path = write(tmp_path / "a.fwr", model, two_way(model)[:4])
    with pytest.raises(DamagedRecording, match="it ends before the first frame"):
        Playing(path, model, Wish())
    records = [record for record in two_way(model) if getattr(record, "direction", None) is not Direction.SENT]
    with pytest.raises(DamagedRecording, match="with frames of me in it"):
        Playing(write(tmp_path / "b.fwr", model, records), model, Wish(direction=Direction.SENT, look=Look()))
