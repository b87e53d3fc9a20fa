from pathlib import Path, PurePosixPath

import pytest
from rich.console import Console

from models.training.clip_files import find_sources
from models.training.data import load_clips
from models.training.layouts import Place, recognise
from models.training.prepare import prepare_sources
from tests.models.training.green_faces import stand_in_python, write_clip

VOX = "data/vox2/dev/mp4/id00012/21Uxsk56VDQ/00001.mp4"
TH = "TalkingHead-1KH/train/cropped_clips/--Y9imYnfBw_0000_S0_E1015_L438_T0_R1206_B768.mp4"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (VOX, Place("train", "id00012_21Uxsk56VDQ_00001", "id00012")),
        (VOX.replace("dev", "test"), Place("val", "id00012_21Uxsk56VDQ_00001", "id00012")),
        (TH, Place("train", "--Y9imYnfBw_0000_S0_E1015_L438_T0_R1206_B768", "--Y9imYnfBw")),
        ("th/val/cropped_clips/v_S0_E9_L1_T2_R3_B4.mp4", Place("val", "v_S0_E9_L1_T2_R3_B4", "v")),
        ("val/cropped_clips/anna.mp4", Place("val", "anna", "anna")),
        ("dev/mp4/anna/21Uxsk56VDQ/00001.mp4", None),
        ("clips/train/id001_0.mp4", None),
        ("00001.mp4", None),
    ],
)  # fmt: skip
def test_places_by_path(path: str, place: Place | None) -> None:
    assert recognise(PurePosixPath(path)) == place


def test_both_sets_are_found_as_they_are(tmp_path: Path) -> None:
    """Every VoxCeleb2 video has a 00001.mp4: none hides another."""
    names = [
        "vox2/dev/mp4/id00012/aaa/00001.mp4",
        "vox2/dev/mp4/id00012/bbb/00001.mp4",
        "vox2/test/mp4/id00017/ccc/00001.mp4",
        "th/train/cropped_clips/v_0000_S0_E9_L0_T0_R1_B1.mp4",
        "th/train/cropped_clips/v_0001_S0_E9_L0_T0_R1_B1.mp4",
        "th/val/cropped_clips/w_0000_S0_E9_L0_T0_R1_B1.mp4",
        "own/train/id001_0.mp4",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = find_sources([tmp_path])
    assert sorted((source.split, source.identity) for source in found) == [
        ("train", "id00012"), ("train", "id00012"), ("train", "id001"), ("train", "v"), ("train", "v"),
        ("val", "id00017"), ("val", "w"),
    ]  # fmt: skip
    assert len({(source.split, source.name) for source in found}) == 7
    assert {source.split for source in find_sources([tmp_path / "vox2"], "mine")} == {"mine"}
    # a folder inside the layout is read alike, also when it is named by a path relative to itself
    assert [source.identity for source in find_sources([tmp_path / "vox2/test/mp4/id00017"])] == ["id00017"]


def test_prepared_and_loaded(tmp_path: Path) -> None:
    vox = tmp_path / "in/dev/mp4/id00012"
    for video, left in (("aaa", 160), ("bbb", 180)):
        write_clip(vox / video / "00001.mp4", (480, 320), [(left + n, 90, left + 120 + n, 230) for n in range(12)])
    write_clip(tmp_path / "in/val/cropped_clips/v_0000_S0_E9_L0_T0_R1_B1.mp4", (480, 320), [(160, 90, 280, 230)] * 12)
    index = prepare_sources(
        find_sources([tmp_path / "in"]), tmp_path / "out", stand_in_python(tmp_path), Console(quiet=True)
    )
    assert [(clip.split, clip.identity, clip.video) for clip in index.clips] == [
        ("train", "id00012", "train/id00012_aaa_00001.mp4"),
        ("train", "id00012", "train/id00012_bbb_00001.mp4"),
        ("val", "v", "val/v_0000_S0_E9_L0_T0_R1_B1.mp4"),
    ]
    assert [len(clip.frames) for clip in load_clips(tmp_path / "out", ["train"], 32)] == [6, 6]  # 25 fps thinned out
