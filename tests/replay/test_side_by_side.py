"""The drawn frame: what lies where, and that lettering stays in its place."""

import numpy as np
import pytest

from replay.side_by_side import BACKGROUND, EMPTY, Figure, Layout, Picture, SideBySide

LAYOUT = Layout()


def plain(colour: tuple[int, int, int], side: int = 256) -> Picture:
    return np.full((side, side, 3), colour, np.uint8)


def inside(frame: Picture, index: int) -> Picture:
    left, top = LAYOUT.panel_left(index), LAYOUT.heading
    return frame[top : top + LAYOUT.panel, left : left + LAYOUT.panel]


def test_pictures_fill_their_panels_and_nothing_else() -> None:
    frame = SideBySide(("", "")).draw(plain((200, 0, 0)), plain((0, 0, 200), 64), [])
    assert frame.shape == (LAYOUT.height, LAYOUT.width, 3)
    assert (inside(frame, 0) == (200, 0, 0)).all()
    assert (inside(frame, 1) == (0, 0, 200)).all()
    coloured = (frame != BACKGROUND).any(-1).sum()
    assert coloured == 2 * LAYOUT.panel**2


def test_nothing_shown_yet_is_an_empty_panel() -> None:
    frame = SideBySide(("camera", "rendered")).draw(plain((200, 0, 0)), None, [])
    assert (inside(frame, 1) == EMPTY).all()


def test_frames_do_not_leak_into_the_next() -> None:
    drawer = SideBySide(("camera", "rendered"))
    drawer.draw(plain((9, 9, 9)), plain((0, 0, 200)), [Figure("payload", "17 kbps")])
    assert (inside(drawer.draw(plain((9, 9, 9)), None, []), 1) == EMPTY).all()


def test_size_suits_video() -> None:
    assert LAYOUT.width % 2 == LAYOUT.height % 2 == 0


@pytest.mark.parametrize("length", [1, 12, 24])
def test_figures_keep_to_their_columns(length: int) -> None:
    """However long the words, there is a gap between columns, above the label and below the value."""
    figures = [Figure("m" * length, "8" * length)] * 5
    frame = SideBySide(("camera", "rendered")).draw(plain((0, 0, 0)), plain((0, 0, 0)), figures)
    footer = frame[LAYOUT.heading + LAYOUT.panel :]
    written = (footer != BACKGROUND).any(-1)
    assert written.any()
    assert not written[[0, -1]].any()
    column = (LAYOUT.width - 2 * LAYOUT.margin) / 5
    for index in range(6):
        edge = round(LAYOUT.margin + index * column)
        assert not written[:, edge - 2 : edge + 2].any()


def test_label_and_value_have_a_gap_between() -> None:
    frame = SideBySide(("", "")).draw(plain((0, 0, 0)), None, [Figure("lying", "(gy)")])
    rows = (frame[LAYOUT.heading + LAYOUT.panel :] != BACKGROUND).any((1, 2))
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) == 2  # two blocks of lines
