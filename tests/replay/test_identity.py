from pathlib import Path

import numpy as np
import pytest

from replay import identity
from replay.errors import IdentityError
from replay.identity import SAME_BELOW, FaceRecogniser, distance
from tests.page.clips import EMBEDDED, LISTENING, TALKING, frames

pytest.importorskip("dlib", reason="the extra `identity` is not installed: make test installs it")


def _points(left: float, top: float, side: float) -> np.ndarray:
    """Landmarks of an upright face in this square; only those that the descriptor looks at are in their places."""
    points = np.full((478, 3), (left + side / 2, top + side / 2, 0.0))
    points[0], points[1] = (left, top, 0.0), (left + side, top + side, 0.0)
    places = ((0.80, 0.30), (0.62, 0.31), (0.20, 0.30), (0.38, 0.31), (0.50, 0.62))
    for index, (x, y) in zip(identity.FIVE_POINTS, places, strict=True):
        points[index, :2] = left + x * side, top + y * side
    return points


def test_a_person_is_nearer_to_themselves_than_to_another() -> None:
    if not (TALKING.exists() and LISTENING.exists()):
        pytest.skip("the shared clips are not here")
    recogniser = FaceRecogniser()
    own, other = (list(frames(clip))[::30][:2] for clip in (TALKING, LISTENING))
    points = _points(72, 64, 112)
    a, b = (recogniser.describe(picture, points) for picture in own)
    stranger = recogniser.describe(other[0], points)
    assert distance(a, b) < SAME_BELOW
    assert distance(a, stranger) > distance(a, b)


def test_no_face_has_no_distance() -> None:
    picture = next(iter(frames(EMBEDDED)))
    found = FaceRecogniser().describe(picture, np.full((478, 3), np.nan))
    assert np.isnan(distance(found, found))


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    identity._weights.cache_clear()
    monkeypatch.setattr(identity, "SHA256", "0" * 64)
    with pytest.raises(IdentityError, match="expected sha256 000000000000"):
        FaceRecogniser()
