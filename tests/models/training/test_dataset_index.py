import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.training.dataset_index import Clip, Index, Rejected, read_index, read_track, write_index
from models.training.errors import DataError

CLIP = Clip("b_0", "val", "b", "video", 2, 25.0, "val/b_0.mp4", "val/b_0.npz", True, 0.5, 0.7, [0, 0, 256], "s", "t")


def write_npz(folder: Path, frames: int, **changes: object) -> None:
    (folder / "val").mkdir(exist_ok=True)
    one = np.zeros(frames, np.float32)
    arrays: dict[str, object] = {
        "landmarks": np.zeros((frames, 478, 3), np.float32),
        "detected": np.ones(frames, bool),
        "t": np.zeros((frames, 2), np.float32),
        "neutral": np.zeros((478, 3), np.float32),
    }
    arrays |= dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "log_scale"), one)
    kept = {name: value for name, value in (arrays | changes).items() if value is not None}
    np.savez(folder / CLIP.landmarks, **kept)  # type: ignore[arg-type]


def test_round_trip_is_sorted(tmp_path: Path) -> None:
    rejected = Rejected("x", "val", "no face found", "u")
    write_index(tmp_path, Index([CLIP, replace(CLIP, name="a_0")], [rejected]))
    index = read_index(tmp_path)
    assert [clip.name for clip in index.clips] == ["a_0", "b_0"]
    assert index.clips[1] == CLIP
    assert index.rejected == [rejected]
    assert not list(tmp_path.glob("*.partial"))


def test_later_fields_are_read_over(tmp_path: Path) -> None:
    write_index(tmp_path, Index([CLIP], []))
    content = json.loads((tmp_path / "index.json").read_text())
    content["clips"][0]["mood"] = "good"
    (tmp_path / "index.json").write_text(json.dumps(content))
    assert read_index(tmp_path).clips == [CLIP]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no index.json; see `facewire prepare`"),
        ("{", "expected JSON"),
        ("[]", "expected version 1"),
        ('{"version": 2, "clips": [], "rejected": []}', "expected version 1 .* got 2; run `facewire prepare` again"),
        ('{"version": 1, "clips": [{"name": "a"}], "rejected": []}', "expected the fields of version 1"),
        ('{"version": 1, "clips": 3, "rejected": []}', "expected the fields of version 1"),
    ],
)
def test_bad_index_is_an_error_in_words(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "index.json").write_text(text)
    with pytest.raises(DataError, match=words) as error:
        read_index(tmp_path)
    assert "\n" not in str(error.value)


def test_unknown_set_names_those_there_are(tmp_path: Path) -> None:
    index = Index([CLIP, replace(CLIP, split="train")], [])
    assert index.of_split("val") == [CLIP]
    with pytest.raises(DataError, match="has the sets: train, val"):
        index.of_split("hd")


def test_track_is_read_as_written(tmp_path: Path) -> None:
    write_npz(tmp_path, 2, yaw_deg=np.array([1.5, -2.0], np.float32))
    assert read_track(tmp_path, CLIP).yaw_deg.tolist() == [1.5, -2.0]


def test_bad_tracks_are_errors_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected the landmarks of b_0"):
        read_track(tmp_path, CLIP)
    write_npz(tmp_path, 3)
    with pytest.raises(DataError, match=r"expected landmarks \[2,478,3\] .* got \[3, 478, 3\]"):
        read_track(tmp_path, CLIP)
    write_npz(tmp_path, 2, neutral=None)
    with pytest.raises(DataError, match="neutral"):
        read_track(tmp_path, CLIP)
    path = tmp_path / CLIP.landmarks
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="cannot be read"):
        read_track(tmp_path, CLIP)
