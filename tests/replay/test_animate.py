"""Motion on another picture: whose frames, whose times, and where it starts."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from codec.motion import Motion
from models.weights import Model
from receiver.look import Look
from replay.animate import animate_picture, carry_over
from replay.errors import ClipError, ModelMismatch
from replay.pairs import shown_frames
from sender.errors import InputError
from tests.receiver.sounds import beeps, onsets_s, sound_of
from tests.replay.test_decompress import motion, record
from tests.replay.tiny import save_tiny
from tests.sender.clips import make_clip
from tests.sender.test_voice import sounding_clip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    patches = np.random.default_rng(1).integers(0, 255, (4, 4, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "portrait.png"), cv2.resize(patches, (96, 80), interpolation=cv2.INTER_CUBIC))
    return tmp_path / "portrait.png"


def test_clip_gives_its_frames_and_times(tmp_path: Path, model: Model, portrait: Path) -> None:
    times = [0.0, 0.04, 0.08, 0.2, 0.24]
    clip = make_clip(tmp_path / "clip.mp4", frames=5, times_s=times)
    assert animate_picture(portrait, clip, tmp_path / "out.mp4", model, relative=True) == 5
    shown = list(shown_frames(tmp_path / "out.mp4"))
    assert [frame.capture_time_s for frame in shown] == pytest.approx(times, abs=1e-3)
    assert shown[0].image.shape == (64, 64, 3)


def test_recording_gives_its_frames_and_times(tmp_path: Path, model: Model, portrait: Path) -> None:
    messages = [[motion(model, 0), motion(model, 1)], [motion(model, 5)]]
    record(tmp_path / "call.fwr", model, messages)
    assert animate_picture(portrait, tmp_path / "call.fwr", tmp_path / "out.mp4", model, relative=False) == 3
    times = [frame.capture_time_s for frame in shown_frames(tmp_path / "out.mp4")]
    assert times == pytest.approx([0.0, 0.04, 0.2], abs=1e-3)


def test_relative_and_absolute_are_told_apart(tmp_path: Path, model: Model, portrait: Path) -> None:
    record(tmp_path / "call.fwr", model, [[motion(model, 0), motion(model, 1)]])
    for relative, name in ((True, "relative"), (False, "absolute")):
        animate_picture(portrait, tmp_path / "call.fwr", tmp_path / f"{name}.mp4", model, relative=relative)
    assert (tmp_path / "relative.mp4").read_bytes() != (tmp_path / "absolute.mp4").read_bytes()


def test_relative_starts_at_the_portraits_own_motion(model: Model) -> None:
    own, driver = motion(model, 7), [motion(model, 1), motion(model, 2)]
    first, second = carry_over(own, driver, "first")
    np.testing.assert_allclose(first.as_vector(), own.as_vector(), atol=1e-3)
    assert np.abs(second.as_vector() - own.as_vector()).max() > 0.01
    assert [one.capture_time_s for one in (first, second)] == [one.capture_time_s for one in driver]


def test_relative_counts_from_the_frame_most_like_the_portrait(model: Model) -> None:
    like = motion(model, 7)
    driver = [motion(model, 1), like, motion(model, 2)]
    carried = list(carry_over(like, driver))
    np.testing.assert_allclose(carried[1].as_vector(), like.as_vector(), atol=1e-3)
    assert [one.capture_time_s for one in carried] == [one.capture_time_s for one in driver]
    assert list(carry_over(like, [])) == []


def test_absolute_is_the_drivers_motion(model: Model) -> None:
    driver: list[Motion] = [motion(model, 1), motion(model, 2)]
    assert list(carry_over(None, driver)) == driver


def test_picture_without_a_face(tmp_path: Path, model: Model, portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_FACE_THRESHOLD", "1")
    with pytest.raises(ClipError, match="expected a picture of a face, found none"):
        animate_picture(portrait, tmp_path / "clip.mp4", tmp_path / "out.mp4", model, relative=True)


def test_driver_that_is_not_there(tmp_path: Path, model: Model, portrait: Path) -> None:
    with pytest.raises(InputError, match="found no such file"):
        animate_picture(portrait, tmp_path / "none.mp4", tmp_path / "out.mp4", model, relative=True)


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_portrait_that_is_none(content: bytes | None, tmp_path: Path, model: Model) -> None:
    if content is not None:
        (tmp_path / "portrait.jpg").write_bytes(content)
    with pytest.raises(ClipError, match="expected a picture"):
        animate_picture(tmp_path / "portrait.jpg", tmp_path / "x.mp4", tmp_path / "out.mp4", model, relative=True)


def test_recording_of_another_model(tmp_path: Path, model: Model, portrait: Path) -> None:
    record(tmp_path / "call.fwr", save_tiny(tmp_path / "other", seed=1), [[motion(model, 0)]])
    with pytest.raises(ModelMismatch):
        animate_picture(portrait, tmp_path / "call.fwr", tmp_path / "out.mp4", model, relative=True)


def test_large_portrait_keeps_its_detail(tmp_path: Path, model: Model) -> None:
    record(tmp_path / "call.fwr", model, [[motion(model, 0)]])
    patches = np.random.default_rng(1).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), cv2.resize(patches, (128, 128), interpolation=cv2.INTER_NEAREST))
    shown = []
    for size in (64, 128):
        look = Look(size=size)
        animate_picture(large, tmp_path / "call.fwr", tmp_path / "out.mp4", model, relative=True, look=look)
        shown.append(next(shown_frames(tmp_path / "out.mp4")).image)
    assert [picture.shape[0] for picture in shown] == [64, 128]
    scaled = cv2.resize(shown[0], (128, 128), interpolation=cv2.INTER_CUBIC)
    assert cv2.Laplacian(shown[1], cv2.CV_64F).std() > 1.3 * cv2.Laplacian(scaled, cv2.CV_64F).std()


def test_picture_speaks_with_the_clips_voice(tmp_path: Path, model: Model, portrait: Path) -> None:
    clip = sounding_clip(tmp_path / "clip.mp4", beeps(1.2, [0.2, 0.8]), at_s=0.08)
    frames = animate_picture(portrait, clip, tmp_path / "out.mp4", model, relative=True)
    assert frames == 32
    assert onsets_s(sound_of(tmp_path / "out.mp4")) == pytest.approx([0.28, 0.88], abs=0.03)
