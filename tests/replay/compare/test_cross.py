"""Sections of one person's motion on another's picture: from clips to a report's part, without MediaPipe."""

import json
from pathlib import Path

import numpy as np
import pytest

from replay.compare import cross
from replay.compare.clip import find_clips
from replay.compare.cross import read_people, write_cross_sections
from replay.compare.page import read_sections
from replay.compare.work import Settings
from replay.errors import CompareError
from replay.people import Image, Seen
from tests.replay.faces import landmarks, rotation, with_mouth
from tests.replay.tiny import save_tiny
from tests.sender.clips import make_clip


class FakeLandmarker:
    """Sees a head that turns and talks with each picture; `looked` counts them."""

    looked = 0

    def __init__(self, python: Path) -> None:
        self.python = python

    def __enter__(self) -> "FakeLandmarker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def find(self, picture: Image, still: bool = False) -> np.ndarray:
        FakeLandmarker.looked += 1
        turn = FakeLandmarker.looked % 7
        return landmarks(rotation(3.0 * turn), with_mouth(0.02 * turn)).astype(np.float32)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    save_tiny(tmp_path / "weights")
    monkeypatch.setattr(cross, "Landmarker", FakeLandmarker)
    monkeypatch.setattr(cross, "recogniser_here", lambda: None)
    return Settings(tmp_path / "weights", mediapipe_python=tmp_path / "python", first=13)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("anna_0", "anna_1", "bert_0"):
        make_clip(folder / f"{name}.mp4", frames=13)
    return folder


def test_clips_of_a_set_become_a_section(tmp_path: Path, settings: Settings, clips: Path) -> None:
    said: list[str] = []
    out = tmp_path / "out"
    write_cross_sections(find_clips([clips]), settings, out, said.append)
    told = json.loads((out / "cross-some.json").read_text())
    assert told["people"] == 2
    pairs = {(row["source"], row["driver"]) for row in told["rows"]}
    assert pairs == {("anna_0", "bert_0"), ("bert_0", "anna_0")}
    assert told["means"]["absolute"]["identity_source"] is None  # there was no recognition network
    (section,) = read_sections(out)
    assert section.title == "some: other people's motion, and turned faces"
    assert (out / "sections" / "cross-some.png").stat().st_size > 1000
    looked = FakeLandmarker.looked
    write_cross_sections(find_clips([clips]), settings, out, said.append)
    assert FakeLandmarker.looked == looked  # what was measured is not measured again
    assert said == ["cross-identity: some"]


def test_other_clips_are_measured_anew(tmp_path: Path, settings: Settings, clips: Path) -> None:
    out = tmp_path / "out"
    write_cross_sections(find_clips([clips]), settings, out, lambda _: None)
    (clips / "anna_1.mp4").unlink()
    looked = FakeLandmarker.looked
    write_cross_sections(find_clips([clips]), settings, out, lambda _: None)
    assert FakeLandmarker.looked > looked


def test_one_person_alone_is_refused(tmp_path: Path, settings: Settings, clips: Path) -> None:
    (clips / "bert_0.mp4").unlink()
    with pytest.raises(CompareError, match="expected clips of several people in some, got one person's"):
        write_cross_sections(find_clips([clips]), settings, tmp_path / "out", lambda _: None)


def test_without_landmarks_nothing_can_be_measured(tmp_path: Path, clips: Path) -> None:
    with pytest.raises(CompareError, match="--cross-identity: expected landmarks"):
        write_cross_sections(find_clips([clips]), Settings(), tmp_path / "out", lambda _: None)


def test_people_are_scaled_to_the_model(settings: Settings, clips: Path) -> None:
    class Looks:
        def look(self, pictures: list[Image]) -> Seen:
            return Seen(np.full((len(pictures), 478, 3), np.nan), None)

    people = read_people(find_clips([clips]), settings, Looks(), 64)  # type: ignore[arg-type]
    assert [person.identity for person in people] == ["anna", "anna", "bert"]
    assert people[0].pictures[0].shape == (64, 64, 3)
    assert people[0].times_s == pytest.approx((0.0, 0.24, 0.48), abs=0.02)
