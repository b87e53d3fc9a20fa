from pathlib import Path

import numpy as np
import pytest

from models.training.clip_files import find_sources, read_fps, read_frames, read_still
from models.training.errors import ClipRejected, PrepareError
from tests.models.training.green_faces import picture, write_clip, write_picture


def test_frames_come_back_as_written(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", (96, 64), [(8 * n, 20, 8 * n + 16, 40) for n in range(5)], fps=12.5)
    frames = list(read_frames(path))
    assert len(frames) == 5
    assert read_fps(path) == pytest.approx(12.5)
    for number, frame in enumerate(frames):
        expected = picture(96, 64, (8 * number, 20, 8 * number + 16, 40))
        assert frame.shape == (64, 96, 3)
        assert np.abs(frame.astype(int) - expected).mean() < 6  # 4:2:0 blurs the edges of the colours


def test_still_round_trip(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", (40, 30), (5, 5, 20, 20))
    np.testing.assert_array_equal(read_still(path), picture(40, 30, (5, 5, 20, 20)))


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\x00\x00\x00\x18ftypmp42" + bytes(40)])
def test_unreadable_files_are_rejected_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ClipRejected, match="not a readable video|no video"):
        list(read_frames(tmp_path / "a.mp4"))
    with pytest.raises(ClipRejected, match="not a readable video|no video"):
        read_fps(tmp_path / "a.mp4")
    with pytest.raises(ClipRejected, match="not a readable picture"):
        read_still(tmp_path / "a.jpg")


def test_sources_take_set_person_and_kind_from_their_place(tmp_path: Path) -> None:
    for name in ("train/id1_0.mp4", "train/id1_1.MOV", "stills/s1.jpg", "stills/notes.txt", "val/alone.webm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "MANIFEST.csv").write_text("file,identity\nval/alone.webm,anna\n")
    (tmp_path / "stills" / "MANIFEST.csv").write_text("file,identity,generated\ns1.jpg,st7,no\n")
    found = {source.name: source for source in find_sources([tmp_path])}
    assert {name: (s.split, s.identity, s.kind) for name, s in found.items()} == {
        "id1_0": ("train", "id1", "video"),
        "id1_1": ("train", "id1", "video"),
        "s1": ("stills", "st7", "still"),
        "alone": ("val", "anna", "video"),
    }
    assert {source.split for source in find_sources([tmp_path / "val", tmp_path / "stills"], "mine")} == {"mine"}
    assert [source.name for source in find_sources([tmp_path / "val" / "alone.webm"])] == ["alone"]


def test_nothing_to_prepare_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="no such file or folder"):
        find_sources([tmp_path / "gone"])
    with pytest.raises(PrepareError, match="found none"):
        find_sources([tmp_path])
    for name in ("a/val/x.mp4", "b/val/x.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(PrepareError, match="different names in the set val"):
        find_sources([tmp_path])
