from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.timelines import INPUT, OUTPUT, TITLE_PX, draw_curves, write_timeline
from tests.models.training.test_comparison import faces


def rows_of(panel: np.ndarray, colour: tuple[int, int, int], column: int) -> np.ndarray:
    """Rows in which a curve's colour stands in a column of the panel, below the title."""
    return TITLE_PX + np.flatnonzero((np.abs(panel[TITLE_PX:, column].astype(int) - colour) < 40).all(1))


def test_curves_share_one_scale() -> None:
    panel = draw_curves("x", [0, 10, 20], np.array([0.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0]))
    assert rows_of(panel, INPUT, 320).mean() == pytest.approx(TITLE_PX + 132, abs=1)  # lowest value at the bottom
    assert rows_of(panel, OUTPUT, 320).mean() == pytest.approx(TITLE_PX + 8, abs=1)


def test_a_face_that_was_not_found_leaves_a_gap() -> None:
    panel = draw_curves("x", [0, 1, 2, 3], np.array([0.0, 0.0, np.nan, 0.0]), np.array([1.0, 1.0, 1.0, 1.0]))
    assert len(rows_of(panel, INPUT, 100))
    assert not len(rows_of(panel, INPUT, 500))
    assert len(rows_of(panel, OUTPUT, 500))


def test_write_timeline(tmp_path: Path) -> None:
    opened = faces(6)
    opened[:, 14, 1] += np.linspace(0, 0.2, 6)
    still = faces(6)
    still[0] = np.nan
    write_timeline(tmp_path / "a.png", "id000_0", [6, 12, 18, 24, 30, 36], np.stack((still, opened)))
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture is not None
    assert picture.shape == (320, 640, 3)
