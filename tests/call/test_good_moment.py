"""good_moment.py: towards the camera, eyes open, sharp; soon or at leisure."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from call.good_moment import LEISURE_S, PATIENCE_S, GoodMoment, Measured, eyes_open
from codec.motion import Motion
from models.keypoints import LANDMARKS
from models.placing import Points
from models.rotations import rotation_matrix
from models.weights import Model, load_model
from sender.camera import Image, open_source
from sender.extract import Extractor

CLIP = Path(__file__).parents[2] / "replay/assets/demo.mp4"
STRIPES = np.tile(np.array([[40], [200]], np.uint8).repeat(64, 1).repeat(3, 1).reshape(2, 64, 3), (32, 1, 1))
BLURRED: Image = np.asarray(cv2.GaussianBlur(STRIPES, (0, 0), 3), np.uint8)


def eyes(lid: float) -> Points:
    """Keypoints [20,3] with upper lids so far above the corners, in half widths of the eye."""
    x_c = np.zeros((len(LANDMARKS), 3), np.float32)
    for left, right, top in ((33, 133, 159), (362, 263, 386)):
        for landmark, place in ((left, (-1, 0)), (right, (1, 0)), (top, (0, -lid))):
            x_c[LANDMARKS.index(landmark), :2] = place
    return x_c


def measured(time_s: float, yaw: float = 0.0, pitch: float = 0.0, score: float = 1.0, lid: float = 0.4) -> Measured:
    delta, still = eyes(lid) - eyes(0.4), np.zeros(3, np.float32)
    turned = delta @ rotation_matrix(yaw, pitch, 0.0).T
    return Measured(Motion(yaw, pitch, 0.0, still, turned.astype(np.float32), time_s), eyes(0.4), score)


def test_good_face_is_taken_at_once(tiny: Model) -> None:
    taken = GoodMoment(tiny).look(measured(0.0, yaw=5.0), STRIPES, None, False)
    assert taken is not None
    assert taken.faults < 1


def test_turned_face_is_waited_for_and_the_best_of_a_second_taken(tiny: Model) -> None:
    moment = GoodMoment(tiny)
    assert moment.look(measured(0.0, yaw=50.0), STRIPES, None, False) is None
    assert moment.look(measured(0.5, yaw=30.0), STRIPES, None, False) is None
    taken = moment.look(measured(PATIENCE_S, yaw=45.0), STRIPES, None, False)
    assert taken is not None
    assert taken.time_s == 0.5


def test_at_leisure_only_a_good_one_is_taken_and_the_best_of_some_seconds(tiny: Model) -> None:
    moment = GoodMoment(tiny)
    for step in range(60):
        assert moment.look(measured(0.5 * step, yaw=35.0), STRIPES, None, True) is None
    moment.forget()
    yaws = [12.0, 3.0, 9.0, 15.0] + [15.0] * 20
    taken = [moment.look(measured(40 + 0.5 * step, yaw=yaw), STRIPES, None, True) for step, yaw in enumerate(yaws)]
    first = next(one for one in taken if one is not None)
    assert first.time_s == 40.5
    assert taken.index(first) * 0.5 >= LEISURE_S


def test_blurred_or_doubtful_is_worse(tiny: Model) -> None:
    moment = GoodMoment(tiny)
    sharp = moment.faults(measured(0.0), STRIPES)
    assert moment.faults(measured(0.1), BLURRED) > sharp + 0.5
    assert moment.faults(measured(0.2, score=0.4), STRIPES) > sharp + 0.5
    assert moment.faults(measured(0.3, pitch=10.0), STRIPES) > sharp


def test_another_way_to_face_is_as_good_where_it_is_wanted(tiny: Model) -> None:
    moment = GoodMoment(tiny)
    moment.face(40.0, -5.0)
    assert moment.faults(measured(0.0, yaw=40.0, pitch=-5.0), STRIPES) < 0.1
    assert moment.faults(measured(0.1), STRIPES) > 1


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (30.0, -15.0)])
def test_eye_that_closes_however_the_head_is_turned(tiny: Model, yaw: float, pitch: float) -> None:
    moment = GoodMoment(tiny)
    for lid in (0.4, 0.2, 0.0):
        seen = measured(0.0, yaw, pitch, lid=lid)
        assert eyes_open(seen.motion, seen.x_c) == pytest.approx(lid, abs=1e-5)
    wide, half, closed = (moment.faults(measured(0.1, yaw, pitch, lid=lid), STRIPES) for lid in (0.4, 0.25, 0.05))
    assert wide + 0.2 < half
    assert half + 0.5 < closed


@pytest.mark.weights
def test_blink_of_a_real_clip_is_seen_and_not_taken() -> None:
    """Each frame of the demo's clip: its blinks are closed eyes, the picture that is taken has open ones."""
    model = load_model()
    extractor, frames = Extractor(model), open_source(str(CLIP))
    moment, taken = GoodMoment(model), None
    opened: list[float] = []
    try:
        while (frame := frames.read()) is not None and frame.capture_time_s < 6.0:
            if round(frame.capture_time_s * 30) % 2:
                continue
            crop = np.asarray(cv2.resize(frame.image, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
            if not opened:
                extractor.set_source(crop)
            found = extractor.extract_now(crop, frame.capture_time_s)
            seen = Measured(found.motion, extractor.canonical, found.face_score)
            opened.append(eyes_open(found.motion, extractor.canonical))
            taken = taken or moment.look(seen, crop, None, True)
    finally:
        frames.close()
        extractor.close()
    assert min(opened) < 0.7 * np.median(opened)
    assert taken is not None
    assert opened[round(taken.time_s * 15)] > 0.9 * np.median(opened)
