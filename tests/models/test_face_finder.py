"""face_finder.py: what a view shows, how the answer is read, and the shipped weights on pictures nobody trained on."""

import copy
import json
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.face_finder import (
    STRIDE,
    SURE,
    FaceBox,
    FaceFinder,
    FinderConfig,
    FinderNetwork,
    Image,
    View,
    fold_norms,
    peaks,
)
from models.face_finder_weights import load_finder
from tests.models.finders import SHARE, central_finder

SHARED = Path(__file__).parents[3] / "shared/data"
LABELS: dict[str, list[float]] = json.loads((Path(__file__).with_name("face_boxes.json")).read_text())
"""Boxes (left, top, right, bottom in px) of MediaPipe's landmarks in pictures of ../shared; clip#frame for clips."""
shared = [
    pytest.mark.shared,
    pytest.mark.weights,
    pytest.mark.skipif(not SHARED.exists(), reason="the pictures of ../shared are not here"),
]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return load_finder()


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def overlap(face: FaceBox, box: list[float]) -> float:
    left, top = face.centre_x - face.width / 2, face.centre_y - face.height / 2
    across = min(left + face.width, box[2]) - max(left, box[0])
    down = min(top + face.height, box[3]) - max(top, box[1])
    shared = max(0.0, across) * max(0.0, down)
    return shared / (face.width * face.height + (box[2] - box[0]) * (box[3] - box[1]) - shared)


def test_view_whole_of_a_picture_of_the_networks_size_is_the_picture() -> None:
    image = noise(128, 128)
    assert np.array_equal(View.whole(128, 128, 128).cut(image), image)


def test_view_whole_of_a_wide_picture_has_grey_bars() -> None:
    shown = View.whole(256, 128, 128).cut(np.full((128, 256, 3), 200, np.uint8))
    assert (shown[:31] == 128).all()
    assert (shown[33:95] == 200).all()
    assert (shown[97:] == 128).all()


@pytest.mark.parametrize("scale", [1, 3, 6])
def test_view_shows_a_spot_where_it_says(scale: int) -> None:
    image = np.zeros((240 * scale, 320 * scale, 3), np.uint8)
    cv2.rectangle(image, (100 * scale, 60 * scale), (120 * scale - 1, 80 * scale - 1), (255, 255, 255), -1)
    view = View(70.0 * scale, 20.0 * scale, 1 / scale, 128)
    shown = view.cut(image)[..., 0] / 255
    ys, xs = np.mgrid[:128, :128] + 0.5
    assert (shown * xs).sum() / shown.sum() == pytest.approx(110 - 70, abs=0.1)
    assert (shown * ys).sum() / shown.sum() == pytest.approx(70 - 20, abs=0.1)
    assert shown.sum() == pytest.approx(400, rel=0.02)


def test_view_beside_the_picture_is_grey() -> None:
    assert (View(900.0, 900.0, 1.0, 64).cut(noise(50, 50)) == 128).all()


def test_peaks_case_by_hand() -> None:
    heat, box = np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.float32)
    heat[1, 2], heat[1, 1] = 0.9, 0.5  # the second is the first one's neighbour and no face of its own
    box[:, 1, 2] = (0.25, -0.5, np.log(0.5), np.log(0.75))
    face = peaks(heat, box, View(10.0, 20.0, 0.5, 4 * STRIDE))[0]
    # cell (1, 2) has its middle at 2.5, 1.5 cells; with the offset 2.75, 1.0 cells = 22, 8 px of the view = 44, 16 px
    assert astuple(face) == pytest.approx((0.9, 54.0, 36.0, 32.0, 48.0))


def test_peaks_two_faces_the_surer_one_first() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[1, 1], heat[6, 6] = 0.6, 0.8
    found = peaks(heat, np.zeros((4, 8, 8), np.float32), View(0.0, 0.0, 1.0, 64))
    assert [round(face.score, 1) for face in found[:2]] == [0.8, 0.6]
    assert found[0].centre_x == 52


def test_find_the_larger_face_or_the_one_that_was_there_before() -> None:
    """A stand-in network: a white square is a face, as large as it is, and the surer the whiter."""

    class Squares(FaceFinder):
        def _look(self, image: Image, view: View) -> list[FaceBox]:
            faces = [FaceBox(0.9, 40, 40, 30, 30), FaceBox(0.8, 150, 60, 60, 60), FaceBox(0.3, 90, 150, 99, 99)]
            left, top, right = view.left, view.top, view.left + view.size / view.scale
            return [face for face in faces if left <= face.centre_x <= right and top <= face.centre_y]

    finder = Squares(central_finder())
    assert finder.find(noise(200, 200)).centre_x == 150
    assert finder.find(noise(200, 200), near=FaceBox(1.0, 45, 40, 33, 33)).centre_x == 40
    assert finder.find(noise(200, 200), near=FaceBox(1.0, 190, 190, 20, 20)).centre_x == 150


@pytest.mark.parametrize(("height", "width"), [(64, 64), (90, 160), (200, 50)])
def test_find_reads_the_answer_in_pixels_of_any_picture(height: int, width: int) -> None:
    face = FaceFinder(central_finder()).find(noise(height, width))
    assert face.score > 0.99
    assert (face.centre_x, face.centre_y) == pytest.approx((width / 2, height / 2), abs=0.01)
    # the second look shows 2.2 times what the first one found, and its answer is SHARE of that
    assert face.side == pytest.approx(2.2 * SHARE * SHARE * max(height, width), rel=1e-4)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 900), (7, 7)])
def test_find_in_next_to_nothing_finds_nothing(height: int, width: int) -> None:
    assert FaceFinder(central_finder()).find(noise(height, width)).score == 0


def test_fold_norms_changes_no_answer() -> None:
    torch.manual_seed(0)
    network = FinderNetwork(FinderConfig(64, (8, 8, 8, 8, 8), (1, 2, 1, 1), 8))
    image = torch.rand(4, 3, 64, 64)
    for _ in range(3):
        network(image * torch.rand(4, 3, 1, 1))  # norms with something in them
    network.eval()
    with torch.inference_mode():
        before, after = network(image), fold_norms(copy.deepcopy(network))(image)
    assert torch.allclose(before.heat, after.heat, atol=1e-5)
    assert torch.allclose(before.box, after.box, atol=1e-5)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in fold_norms(network).modules())


def picture_of(name: str) -> Image:
    path, _, frame = name.partition("#")
    reader = cv2.VideoCapture(str(SHARED / path))
    for _ in range(int(frame or 0)):
        reader.grab()
    good, bgr = reader.read()
    assert good, name
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


class TestShippedWeights:
    """Portraits, and the classic sequences of a call; what is cut, shrunk and turned away is no training picture."""

    pytestmark = shared

    @pytest.mark.parametrize(
        ("group", "hits", "mean"),
        [("portraits", 0.95, 0.75), ("classic/carphone", 0.9, 0.75), ("classic/foreman", 0.6, 0.6)],
    )
    def test_face_is_found_where_it_is(self, finder: FaceFinder, group: str, hits: float, mean: float) -> None:
        """Foreman wears a helmet, waves, and turns away at the end: some of his boxes are too large."""
        names = [name for name in LABELS if name.startswith(group)]
        found = {name: finder.find(picture_of(name)) for name in names}
        overlaps = {name: overlap(face, LABELS[name]) for name, face in found.items()}
        good = [name for name in names if found[name].score >= SURE and overlaps[name] >= 0.5]
        assert len(good) >= hits * len(names), {name: (found[name].score, overlaps[name]) for name in names}
        assert np.mean(list(overlaps.values())) >= mean

    @pytest.mark.parametrize("share", [0.25, 0.4])
    def test_small_face_in_a_wide_picture(self, finder: FaceFinder, share: float) -> None:
        """A portrait of a quarter of the height at the right of a grey 16:9 picture."""
        hits = 0
        names = [name for name in LABELS if name.startswith("portraits")]
        for name in names:
            side = round(720 * share)
            image = np.full((720, 1280, 3), 90, np.uint8)
            portrait = cv2.resize(picture_of(name), (side, side), interpolation=cv2.INTER_AREA)
            image[300 : 300 + side, 900 : 900 + side] = portrait
            box = [value * side / 512 + (900, 300)[index % 2] for index, value in enumerate(LABELS[name])]
            face = finder.find(image)
            hits += face.score >= SURE and overlap(face, box) >= 0.4
        assert hits >= 0.8 * len(names)

    def test_no_face_in_what_is_left_without_it(self, finder: FaceFinder) -> None:
        """The same pictures with the face box covered, and parts beside it: at most one in ten is taken for a face."""
        alarms = []
        for name in LABELS:
            image, (left, top, right, bottom) = picture_of(name), (int(value) for value in LABELS[name])
            image[max(top, 0) : bottom, max(left, 0) : right] = image[-8:, :8].mean((0, 1))
            alarms.append(finder.find(image).score >= SURE)
            alarms.append(finder.find(np.ascontiguousarray(image[bottom:])).score >= SURE)
        assert np.mean(alarms) <= 0.1

    def test_no_face_in_plain_pictures_and_noise(self, finder: FaceFinder) -> None:
        ramp = np.tile(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], (240, 1, 3))
        for image in (np.zeros((240, 320, 3), np.uint8), np.full((300, 200, 3), 255, np.uint8), ramp, noise(240, 320)):
            assert finder.find(image).score < SURE
