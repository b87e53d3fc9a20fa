"""The bitstream benchmark: its parts by hand, and the smallest run of all of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import bitstream, bitstream_ways, rivals, val_motion
from benchmarks.bitstream_charts import error_chart
from codec import Level, Motion, Profile
from models.keypoints import LANDMARKS
from models.training.dataset_index import Track
from models.training.mean_face import mean_face
from models.weights import build_model
from replay.chart import PANEL_PX, Axis, Mark, Panel, Series, draw
from sender.camera import Frame
from tests.models.training.prepared import write_prepared
from tests.replay.tiny import save_tiny


def frames(times_s: list[float]) -> list[Frame]:
    """Frame i is a picture of the number i."""
    return [Frame(np.full((1, 1, 3), index, np.uint8), time_s) for index, time_s in enumerate(times_s)]


@pytest.mark.parametrize(
    ("times_s", "shown"),
    [
        ([0, 0.04, 0.08], [0, 1, 2]),
        ([index / 30 for index in range(7)], [0, 1, 2, 3, 4, 6]),  # one in six is left out
        ([0, 0.1, 0.2], [0, 0, 0, 1, 1, 2]),
        ([], []),
    ],
)
def test_thinned_as_a_camera_of_25_frames_a_second(times_s: list[float], shown: list[int]) -> None:
    thinned = list(val_motion.thin(frames(times_s)))
    assert [int(frame.image[0, 0, 0]) for frame in thinned] == shown
    assert [frame.capture_time_s for frame in thinned] == [index / 25 for index in range(len(shown))]


def track(landmarks: np.ndarray, neutral: np.ndarray) -> Track:
    count = len(landmarks)
    none = np.zeros(count, np.float32)
    detected = np.ones(count, bool)
    return Track(
        landmarks.astype(np.float32), detected, none, none, none, none, np.zeros((count, 2), np.float32), neutral
    )


def test_fomm_finds_an_affine_motion() -> None:
    """Where the whole face moves by one affine map, every Jacobian is that map."""
    neutral, J = mean_face(), np.array([[0.5, 0.1], [-0.2, 0.4]])
    moved = neutral.copy()
    moved[:, :2] = neutral[:, :2] @ J.T + (0.1, -0.2)
    numbers = rivals.fomm_numbers(track(moved[None], neutral))
    assert numbers.shape == (1, 60)
    for index, landmark in enumerate(LANDMARKS[: rivals.FOMM_KEYPOINTS]):
        x, y, *jacobian = numbers[0, 6 * index : 6 * index + 6]
        assert (x, y) == pytest.approx(moved[landmark, :2], abs=1e-5)
        assert jacobian == pytest.approx(J.reshape(-1), abs=1e-4)


def test_few_shot_landmarks_are_whole_pixels_of_512() -> None:
    assert len(set(rivals.FEW_SHOT_LANDMARKS)) == 126
    landmarks = np.zeros((1, 478, 3))
    landmarks[0, rivals.FEW_SHOT_LANDMARKS[0]] = (-1, 0.501, 9)
    numbers = rivals.few_shot_numbers(track(landmarks, mean_face()))
    assert numbers[0, :4].tolist() == [0, 384, 256, 256]


def test_rivals_are_coded_byte_by_byte_with_tables_of_their_own() -> None:
    rng = np.random.default_rng(0)
    tracks = [track(mean_face() + rng.normal(0, 0.01, (40, 478, 3)), mean_face()) for _ in range(2)]
    for rival, before, least in zip(rivals.RIVALS, (504, 240), (100, 120), strict=True):
        bytes_before, sizes = rivals.coded_sizes(rival, tracks[:1], tracks[1:])
        assert (bytes_before, len(sizes)) == (before, 40)
        assert all(least < size < before for size in sizes)


def test_times_are_of_each_item() -> None:
    def work() -> Iterator[int]:
        for size in (10, 200_000):
            yield sum(range(size))

    made, times_ms = bitstream_ways.timed(work())
    assert made == (45, 19_999_900_000)
    assert times_ms[0] < times_ms[1]


def test_error_of_paper_is_that_of_fp16(tmp_path: Path) -> None:
    model = build_model("tiny")
    motions = tuple(
        Motion.from_vector(np.random.default_rng(index).normal(0, 0.1, 66), index / 25) for index in range(5)
    )
    clip = val_motion.ClipMotion("c", motions, np.zeros((64, 64, 3), np.uint8), model.canonical(_grey(64)))
    way = bitstream_ways.Way(Profile.PAPER, Level.HIGH)
    coded = bitstream_ways.code_clip(clip, model, model.codec_tables, way)
    assert 0 < coded.errors_px.max() < 0.1
    figures = bitstream_ways.summarise(way, [coded, coded])
    assert (figures["frames"], figures["messages"]) == (10, 6)  # 2 + 2 + 1 frames, twice
    assert figures["bytes_per_frame"] == pytest.approx(sum(map(len, coded.messages)) / 5, abs=1e-3)
    few = bitstream_ways.code_clip(clip, model, model.codec_tables, way._replace(keypoints="5"))
    tail = np.linalg.norm([motion.delta[5:, :2] for motion in motions], axis=2) * 128
    scale = np.exp([motion.t[2] for motion in motions])[:, None]
    np.testing.assert_allclose(few.errors_px[:, 5:], scale * tail, rtol=0.02)


def _grey(size: int) -> torch.Tensor:
    return torch.full((1, 3, size, size), 0.5)


def test_axis_places() -> None:
    log = Axis("", (1, 10, 100), log=True)
    assert [log.place(value) for value in (0.1, 1, 10, 1000)] == pytest.approx([0, 0, 0.5, 1])
    assert Axis("", (0, 4)).place(1) == 0.25


def test_chart_draws_curves_where_they_belong() -> None:
    axis = Axis("value", (0, 1))
    series = [Series("flat", [(0, 0.5), (1, 0.5)]), Series("dashed", [(0, 0), (1, 1)], {1: "end"}, dashed=True)]
    sheet = draw([Panel("title", axis, axis, series, [Mark("y", 0.25, "bar")])] * 2)
    assert sheet.size == (2 * PANEL_PX[0], PANEL_PX[1])
    blue = (np.asarray(sheet) == (0, 114, 178)).all(2)
    assert blue[:, : PANEL_PX[0]].any()
    assert blue[:, PANEL_PX[0] :].any()
    rows = np.flatnonzero(blue[92:].any(1)) + 92  # below the legend
    assert rows.mean() == pytest.approx((92 + PANEL_PX[1] - 64) / 2, abs=3)


def test_error_chart_has_no_pictures_where_none_were_measured() -> None:
    row = {"bytes_per_frame": 9.0, "error_px": {"mean": 0.1}, "lpips": None, "way": "w", "level": "high"}
    rows = [row | {"profile": "predictive", "keypoints": "all"}, row | {"profile": "paper", "keypoints": "all"}]
    rows += [row | {"profile": "paper", "keypoints": "adaptive", "way": "paper, adaptive 1 px"}]
    assert error_chart(rows, pictures=False).width == PANEL_PX[0]


@pytest.mark.slow
def test_smallest_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    save_tiny(tmp_path / "weights")
    data = write_prepared(tmp_path / "data", clips=2, frames=6, stills=0)
    monkeypatch.setattr(bitstream, "LOSSES", (0.0, 0.4))
    options = ["--data", str(data), "--out", str(tmp_path / "out"), "--split", "train", "--clips", "1"]
    options += ["--frames", "6", "--pictures", "1", "--seconds", "2", "--weights", str(tmp_path / "weights")]
    bitstream.main(options)
    said = capsys.readouterr().out
    assert all(
        word in said for word in ("few-shot vid2vid", "predictive, high", "paper, adaptive 1 px", "40% at random")
    )
    result = json.loads((tmp_path / "out" / "bitstream.json").read_text())
    assert [row["before"] for row in result["sizes"][:3]] == [504, 240, 132]
    assert len(result["ways"]) == len(bitstream_ways.WAYS)
    coded = {row["way"]: row["bytes_per_frame"] for row in result["ways"]}
    assert coded["paper, 5 keypoints"] < coded["paper, 8 keypoints"] < coded["paper, all keypoints"]
    assert [row["payload_ratio"] for row in result["loss"] if row["policy"] == "no repeats"][0] == 1
    for name in ("bytes_error.png", "loss.png"):
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.width % PANEL_PX[0] == 0
    (tmp_path / "out" / "bitstream.json").write_text(json.dumps(result | {"sizes": [], "loss": result["loss"][:4]}))
    bitstream.main([*options, "--parts", "sizes"])
    again = json.loads((tmp_path / "out" / "bitstream.json").read_text())
    assert again == result | {"loss": result["loss"][:4]}  # the sizes are measured, the rest stays


def test_motion_is_extracted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = save_tiny(tmp_path / "weights")
    data = write_prepared(tmp_path / "data", clips=1, frames=3, stills=0)
    (first,) = val_motion.read_motions(data, "train", model, tmp_path, None, 100)
    monkeypatch.setattr(val_motion, "_extract", lambda *_: pytest.fail("extracted again"))
    (again,) = val_motion.read_motions(data, "train", model, tmp_path, None, 2)
    assert again.motions == first.motions[:2]
    assert np.array_equal(again.source, first.source)
    assert torch.equal(again.x_c, first.x_c)


def test_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        bitstream.main(["--data", "x", "--out", str(tmp_path), "--seconds", "1"])
