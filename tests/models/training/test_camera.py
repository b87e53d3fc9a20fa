import numpy as np
from numpy.typing import NDArray

from models.training.camera import CameraMotion, CameraWatch

FACE = np.array([-0.4, -0.4, 0.4, 0.6])


def watch(shifts: NDArray[np.int64], head: NDArray[np.int64]) -> CameraMotion:
    """A rough wall seen by a camera that shifts by px, and a bright head before it that moves by itself."""
    rng = np.random.default_rng(0)
    wall = np.kron(rng.integers(0, 255, (60, 100)), np.ones((8, 8))).astype(np.uint8)
    camera = CameraWatch()
    for shift, turn in zip(shifts, head, strict=True):
        frame = wall[40 : 40 + 256, 100 + shift : 100 + shift + 256].copy()
        frame[80:256, 80 + turn : 180 + turn] = 230
        camera.add(np.repeat(frame[..., None], 3, 2), FACE)
    return camera.motion()


def test_still_camera_with_a_moving_head() -> None:
    motion = watch(np.zeros(45, int), (8 * np.sin(np.arange(45) / 3)).astype(int))
    assert motion.still
    assert motion.path_px < 2


def test_pan_is_seen_and_measured() -> None:
    motion = watch(np.arange(45), np.zeros(45, int))
    assert not motion.still
    assert 15 < motion.path_px < 25  # half of the 44 px from its median place


def test_change_of_exposure_is_no_motion() -> None:
    camera = CameraWatch()
    for light in range(0, 90, 2):
        camera.add(np.full((256, 256, 3), 60 + light, np.uint8), FACE)
    assert camera.motion() == CameraMotion(0.0, 0.0)


def test_a_still_picture_has_no_motion() -> None:
    camera = CameraWatch()
    camera.add(np.zeros((256, 256, 3), np.uint8), np.full(4, np.nan))
    assert camera.motion().still
