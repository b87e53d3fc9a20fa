from pathlib import Path

import pytest
import torch

from models.geometry import compose_scaled_keypoints, rotation_matrix
from models.training.data import Batch, Change, Store, augment, draw_change, load_clips, unwarp_points
from models.training.equivariance import draw_warp
from models.training.errors import DataError
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    return Store(load_clips(folder, ["train", "stills"], 128), torch.device("cpu"))


def recomposed(batch: Batch) -> torch.Tensor:
    motion = batch.motion
    R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
    return compose_scaled_keypoints(batch.x_c, R, motion.t, motion.delta)


def drawn(store: Store, number: int = 8) -> Batch:
    rng = torch.Generator().manual_seed(0)
    clips = store.draw_clips(number, rng, 0.25)
    return store.batch(clips, store.draw_frames(clips, rng))


def test_load_keeps_every_detected_frame_and_its_landmarks(folder: Path) -> None:
    clips = load_clips(folder, ["train"], 64)
    assert [len(clip.frames) for clip in clips] == [6, 6, 6]
    assert clips[0].frames.shape == (6, 3, 64, 64)
    assert clips[0].landmarks.shape == (6, 478, 3)


def test_load_thins_out_high_frame_rates(folder: Path) -> None:
    assert len(load_clips(folder, ["train"], 64, max_fps=5.0)[0].frames) == 2


def test_deformation_is_what_pose_and_shape_leave_over(store: Store) -> None:
    batch = drawn(store)
    torch.testing.assert_close(recomposed(batch), batch.x, atol=1e-4, rtol=0.0)
    # the prepared faces have no expression: nothing is left but fp16 rounding
    assert batch.motion.delta.abs().max().item() < 2e-3


def test_augmented_keypoints_still_compose(store: Store) -> None:
    """Flip, turn, scale and shift change pose, shape and landmarks alike: delta stays what it was, nothing."""
    rng = torch.Generator().manual_seed(1)
    batch = drawn(store)
    change = draw_change(8, rng, roll_deg=30.0, log_scale=0.2, shift=0.2, colour=0.1, device=torch.device("cpu"))
    assert change.flip.any()
    assert not change.flip.all()
    moved = augment(batch, change, 128)
    torch.testing.assert_close(recomposed(moved), moved.x, atol=1e-4, rtol=0.0)
    assert moved.motion.delta.abs().max().item() < 4e-3


def test_augmented_picture_shows_the_landmarks_where_they_say(store: Store) -> None:
    """Dots drawn at the landmarks are found at the moved landmarks: pictures and keypoints move by one rule."""
    rng = torch.Generator().manual_seed(2)
    batch = drawn(store)
    change = draw_change(8, rng, roll_deg=25.0, log_scale=0.2, shift=0.15, colour=0.0, device=torch.device("cpu"))
    moved = augment(batch, change, 128)
    at_landmarks = torch.nn.functional.grid_sample(
        moved.image, moved.x[:, None, :, :2], align_corners=False, padding_mode="border"
    )
    background = 40.0 / 255.0
    assert (at_landmarks.amax(1) > background + 0.1).float().mean().item() > 0.9


def test_no_change_changes_nothing(store: Store) -> None:
    batch = drawn(store)
    zero = torch.zeros(8)
    nothing = Change(zero.bool(), zero, zero, torch.zeros(8, 2), torch.ones(8, 3), torch.zeros(8, 1))
    same = augment(batch, nothing, 128)
    torch.testing.assert_close(same.image, batch.image, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(same.landmarks, batch.landmarks)


def test_draws_follow_the_seed_and_the_share_of_stills(store: Store) -> None:
    one, two = (store.draw_clips(40, torch.Generator().manual_seed(5), 0.25) for _ in range(2))
    assert torch.equal(one, two)
    assert store.is_still[one].sum().item() == 10


def test_no_clips_of_a_split(folder: Path) -> None:
    with pytest.raises(DataError, match="expected clips of val, found none"):
        load_clips(folder, ["val"], 64)


def test_cut_video(folder: Path, tmp_path: Path) -> None:
    other = write_prepared(tmp_path)
    video = other / "train" / "id000_0.mp4"
    video.write_bytes(video.read_bytes()[:200])
    with pytest.raises(DataError, match="id000_0.mp4"):
        load_clips(other, ["train"], 64)


def test_unwarped_points_warp_back() -> None:
    warp = draw_warp(2, torch.Generator().manual_seed(0))
    p = torch.rand(2, 30, 2, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8
    q = unwarp_points(warp, p)
    torch.testing.assert_close(warp.points(q), p, atol=1e-4, rtol=0.0)
    assert float((q - p).abs().mean()) > 0.02


def test_clip_of_frames() -> None:
    store = Store.__new__(Store)
    store.start = torch.tensor([0, 3, 4])
    assert store.clip_of(torch.tensor([0, 2, 3, 4, 9])).tolist() == [0, 0, 1, 2, 2]
