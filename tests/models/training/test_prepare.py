import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rich.console import Console

from models.geometry import rotation_matrix
from models.training import prepare as module
from models.training.clip_files import find_sources, read_frames
from models.training.dataset_index import Index, Track, read_index, read_track
from models.training.errors import ClipRejected, PrepareError
from models.training.mean_face import fit_pose, mean_face
from models.training.prepare import check_landmarks, prepare, prepare_sources, save_is_due, write_track
from tests.models.training.green_faces import Box, stand_in_python, write_clip, write_picture

FACE = (110, 60, 190, 180)


def run(clips: Path, out: Path) -> Index:
    return prepare_sources(find_sources([clips]), out, stand_in_python(clips.parent), Console(file=io.StringIO()))


def recompose(track: Track) -> NDArray[np.float64]:
    """Landmarks from pose, neutral shape and what is left, by the equation in dataset_index's words."""
    angles = (torch.from_numpy(angle).double() for angle in (track.yaw_deg, track.pitch_deg, track.roll_deg))
    R = rotation_matrix(*angles).numpy()
    turned = track.neutral.astype(np.float64) @ R.transpose(0, 2, 1)
    scale = np.exp(track.log_scale.astype(np.float64))[:, None, None]
    t: NDArray[np.float64] = np.pad(track.t.astype(np.float64), ((0, 0), (0, 1)))[:, None]
    delta = (track.landmarks.astype(np.float64) - t) / scale - turned
    assert np.abs(np.median(delta, 0)).max() < 0.02  # the neutral shape leaves nothing systematic
    return np.asarray(scale * (turned + delta) + t)


def test_a_clip_becomes_a_crop_with_landmarks_and_pose(tmp_path: Path) -> None:
    boxes: list[Box | None] = [(110 + n, 60, 190 + n, 180) for n in range(12)]
    write_clip(tmp_path / "in" / "val" / "id7_0.mp4", (480, 320), boxes, fps=20)
    index = run(tmp_path / "in", tmp_path / "out")
    (clip,) = index.clips
    assert (clip.name, clip.split, clip.identity, clip.kind, clip.frames) == ("id7_0", "val", "id7", "video", 12)
    assert clip.fps == 20
    assert clip.static_camera
    assert clip.crop[2] == pytest.approx(240, abs=6)  # 2.0 x 120 px
    frames = list(read_frames(tmp_path / "out" / clip.video))
    assert len(frames) == 12
    assert frames[0].shape == (256, 256, 3)
    track = read_track(tmp_path / "out", clip)
    assert track.detected.all()
    low = (track.landmarks[0, :, :2].min(0) + 1) * 128
    high = (track.landmarks[0, :, :2].max(0) + 1) * 128
    green = (frames[0][..., 1] > 150) & (frames[0][..., 0] < 110)  # landmarks and crop lie on one another
    np.testing.assert_allclose(low, (np.flatnonzero(green.any(0))[0], np.flatnonzero(green.any(1))[0]), atol=2.5)
    np.testing.assert_allclose(high, (np.flatnonzero(green.any(0))[-1], np.flatnonzero(green.any(1))[-1]), atol=2.5)
    np.testing.assert_allclose(recompose(track), track.landmarks, atol=1e-6)
    assert track.t[-1, 0] - track.t[0, 0] == pytest.approx(11 * 2 / clip.crop[2], abs=0.03)


def test_head_crops_of_the_right_size_are_copied(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in" / "train" / "a_0.mp4", (256, 256), [(70, 70, 180, 200)] * 10)
    still = write_picture(tmp_path / "in" / "stills" / "s1.jpg", (256, 256), (70, 70, 180, 200))
    index = run(tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out" / "train" / "a_0.mp4").read_bytes() == source.read_bytes()
    assert (tmp_path / "out" / "stills" / "s1.jpg").read_bytes() == still.read_bytes()
    assert [(clip.kind, clip.frames, clip.crop) for clip in index.clips] == [
        ("still", 1, [0, 0, 256]),
        ("video", 10, [0, 0, 256]),
    ]
    assert all(clip.sha256 == clip.source_sha256 for clip in index.clips)


def test_each_rejection_has_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "val"
    write_clip(folder / "empty.mp4", (320, 240), [None] * 12)
    write_clip(folder / "rare.mp4", (480, 320), [FACE, None] * 8)
    write_clip(folder / "short.mp4", (480, 320), [FACE] * 9)
    write_clip(folder / "cut.mp4", (480, 320), [FACE] * 6 + [(230, 60, 310, 180)] * 6)
    write_clip(folder / "border.mp4", (480, 320), [(0, 60, 80, 180)] * 12)
    write_clip(folder / "tiny.mp4", (480, 320), [(200, 100, 222, 130)] * 12)
    wander: list[Box | None] = [(200 + 22 * n, 100, 280 + 22 * n, 220) for n in (*range(-8, 9), *range(8, -9, -1))]
    write_clip(folder / "wander.mp4", (800, 320), wander)
    (folder / "broken.mp4").write_bytes(b"not a video")
    write_picture(folder / "landscape.png", (320, 240), None)
    index = run(tmp_path / "in", tmp_path / "out")
    assert index.clips == []
    reasons = {entry.name: entry.reason for entry in index.rejected}
    assert len(reasons) == 9
    assert reasons["empty"] == reasons["landscape"] == "no face found"
    assert reasons["rare"] == "no face in 50% of the frames, expected at most 5%"
    assert reasons["short"] == "9 frames, expected at least 10"
    assert reasons["cut"] == "the face jumps at frame 6 by 100% of its size: a cut or two faces"
    assert "px large, expected at least 40" in reasons["tiny"]
    assert "the head crop leaves the picture by" in reasons["border"]
    assert "the head leaves its crop in" in reasons["wander"]
    assert "not a readable video" in reasons["broken"]
    assert not list((tmp_path / "out").rglob("*.partial*"))


def test_a_second_run_does_only_what_is_new_or_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in" / "val"
    write_clip(folder / "a_0.mp4", (480, 320), [FACE] * 10)
    write_clip(folder / "b_0.mp4", (480, 320), [None] * 10)
    write_clip(folder / "c_0.mp4", (480, 320), [FACE] * 10)
    first = run(tmp_path / "in", tmp_path / "out")
    looked: list[str] = []
    real = module.prepare_clip

    def counted(source, *rest):  # type: ignore[no-untyped-def]
        looked.append(source.name)
        return real(source, *rest)

    monkeypatch.setattr(module, "prepare_clip", counted)
    assert run(tmp_path / "in", tmp_path / "out") == first
    assert looked == []
    write_clip(folder / "b_0.mp4", (480, 320), [FACE] * 11)  # changed, and good now
    (tmp_path / "out" / "val" / "c_0.npz").unlink()
    write_clip(folder / "d_0.mp4", (480, 320), [FACE] * 12)
    index = run(tmp_path / "in", tmp_path / "out")
    assert looked == ["b_0", "c_0", "d_0"]
    assert {clip.name: clip.frames for clip in index.clips} == {"a_0": 10, "b_0": 11, "c_0": 10, "d_0": 12}
    assert index.rejected == []


def test_an_interruption_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a_0", "b_0"):
        write_clip(tmp_path / "in" / "val" / f"{name}.mp4", (480, 320), [FACE] * 10)
    real = module.prepare_clip

    def interrupted(source, *rest):  # type: ignore[no-untyped-def]
        if source.name == "b_0":
            raise KeyboardInterrupt
        return real(source, *rest)

    monkeypatch.setattr(module, "prepare_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", tmp_path / "out")
    assert [clip.name for clip in read_index(tmp_path / "out").clips] == ["a_0"]


def test_the_command_says_what_was_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path / "in" / "a_0.mp4", (480, 320), [FACE] * 10)
    write_clip(tmp_path / "in" / "b_0.mp4", (480, 320), [None] * 10)
    prepare([tmp_path / "in"], tmp_path / "out", "mine", stand_in_python(tmp_path))
    words = capsys.readouterr().err
    assert "left out mine/b_0: no face found" in words
    assert "1 clips, 10 frames, 0 with a moving camera; 1 left out" in words
    with pytest.raises(PrepareError, match="expected clips at"):
        prepare([tmp_path / "gone"], tmp_path / "out", None, stand_in_python(tmp_path))


def test_missing_frames_are_unknown_in_the_track(tmp_path: Path) -> None:
    points = np.stack([mean_face() * 0.5 + (0.01 * n, 0.02, 0.3) for n in range(4)])
    points[2] = np.nan
    write_track(tmp_path / "a.npz", points, fit_pose(points))
    with np.load(tmp_path / "a.npz") as arrays:
        track = Track(**{name: arrays[name] for name in Track._fields})
    assert track.detected.tolist() == [True, True, False, True]
    assert np.isnan(track.landmarks[2]).all()
    assert np.isnan(track.yaw_deg[2])
    np.testing.assert_allclose(track.landmarks[3], mean_face() * 0.5 + (0.03, 0.02, 0.0), atol=1e-6)  # depth centred
    np.testing.assert_allclose(track.t[3], (0.03, 0.02), atol=1e-6)
    np.testing.assert_allclose(track.neutral, mean_face(), atol=1e-6)
    assert all(array.dtype == np.float32 for name, array in track._asdict().items() if name != "detected")


def test_a_head_that_moves_quickly_is_no_cut() -> None:
    steps = np.linspace(0, 300, 12)[:, None, None] * np.array([1.0, 0.0, 0.0])
    points = (mean_face() * 70 + (200, 200, 0) + steps).astype(np.float32)
    check_landmarks(points, still=False)
    with pytest.raises(ClipRejected, match="jumps at frame 6"):
        check_landmarks(np.concatenate((points[:6], points[6:] + np.array((0, 90, 0), np.float32))), still=False)


def test_the_work_folder_can_be_moved(tmp_path: Path) -> None:
    write_clip(tmp_path / "in" / "val" / "a_0.mp4", (480, 320), [FACE] * 10)
    run(tmp_path / "in", tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    (clip,) = read_index(tmp_path / "elsewhere").clips
    assert read_track(tmp_path / "elsewhere", clip).landmarks.shape == (10, 478, 3)


def test_a_large_index_is_written_less_often() -> None:
    assert [save_is_due(since_s, 0.01) for since_s in (4.9, 5.1)] == [False, True]
    assert [save_is_due(since_s, 3.0) for since_s in (5.1, 59.0, 61.0)] == [False, False, True]
