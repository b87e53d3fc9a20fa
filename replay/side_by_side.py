"""Two pictures, or more, and a line of figures, as one frame of video.

┌───────────────────────────────────────────┐
│ camera                rendered from motion │   heading
│ ┌─────────────────┐   ┌─────────────────┐ │
│ │   what was sent │   │    what arrived │ │   panels, square
│ └─────────────────┘   └─────────────────┘ │
│  this frame    payload      wire     PSNR │   figures: a label over a value, one column each
│      84 B      17 kbps     98 kbps   24 dB │
└───────────────────────────────────────────┘
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

BACKGROUND = (18, 20, 24)
EMPTY = (34, 37, 43)
BRIGHT = (240, 242, 245)
DIM = (150, 156, 166)

Picture = NDArray[np.uint8]  # RGB [H,W,3]


class Figure(NamedTuple):
    """One column under the pictures."""

    label: str
    value: str


class Layout(NamedTuple):
    """Sizes in pixels; the whole frame comes out even in both directions, as H.264 in 4:2:0 needs."""

    panel: int = 384
    margin: int = 20
    heading: int = 44
    footer: int = 84
    panels: int = 2

    @property
    def width(self) -> int:
        """Width of the frame."""
        return self.panels * self.panel + (self.panels + 1) * self.margin

    @property
    def height(self) -> int:
        """Height of the frame."""
        return self.heading + self.panel + self.footer

    def panel_left(self, index: int) -> int:
        """Left edge of a panel, counted from 0."""
        return self.margin + index * (self.panel + self.margin)


class SideBySide:
    """Draws the frames of one video; the parts that stay the same are drawn once."""

    def __init__(self, headings: Sequence[str], layout: Layout | None = None) -> None:
        """Take the words over the panels, as many as the layout has."""
        self.layout = layout or Layout()
        self.headings = headings

    def draw(self, left: Picture, right: Picture | None, figures: Sequence[Figure]) -> Picture:
        """Draw one frame of two panels, uint8 RGB [height,width,3]. `right` None: nothing has been shown yet."""
        return self.draw_all((left, right), figures)

    def draw_all(self, pictures: Sequence[Picture | None], figures: Sequence[Figure]) -> Picture:
        """Draw one frame of as many panels as there are pictures."""
        frame = self._ground.copy()
        for index, picture in enumerate(pictures):
            if picture is not None:
                frame.paste(self._fit(picture), (self.layout.panel_left(index), self.layout.heading))
        pen = ImageDraw.Draw(frame)
        column = (self.layout.width - 2 * self.layout.margin) / max(len(figures), 1)
        for index, figure in enumerate(figures):
            self._write_figure(pen, figure, self.layout.margin + (index + 0.5) * column, column)
        return np.asarray(frame)

    @cached_property
    def _ground(self) -> Image.Image:
        """The frame without pictures and figures."""
        layout = self.layout
        ground = Image.new("RGB", (layout.width, layout.height), BACKGROUND)
        pen = ImageDraw.Draw(ground)
        for index, heading in enumerate(self.headings):
            left, top = layout.panel_left(index), layout.heading
            pen.rectangle((left, top, left + layout.panel - 1, top + layout.panel - 1), fill=EMPTY)
            middle = (left + layout.panel / 2, layout.heading / 2)
            pen.text(middle, heading, BRIGHT, _font(heading, 19, layout.panel), anchor="mm")
        return ground

    def _fit(self, picture: Picture) -> Image.Image:
        image = Image.fromarray(picture)
        side = (self.layout.panel, self.layout.panel)
        return image if image.size == side else image.resize(side, Image.Resampling.BICUBIC)

    def _write_figure(self, pen: ImageDraw.ImageDraw, figure: Figure, centre: float, width: float) -> None:
        top = self.layout.heading + self.layout.panel
        room = width - 10  # between neighbours
        label, value = top + 0.30 * self.layout.footer, top + 0.66 * self.layout.footer
        pen.text((centre, label), figure.label, DIM, _font(figure.label, 14, room), anchor="mm")
        pen.text((centre, value), figure.value, BRIGHT, _font(figure.value, 20, room), anchor="mm")


def _font(text: str, size: int, room: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at `size` pixels, or as much smaller as `text` needs to stay within `room` pixels."""
    font = ImageFont.load_default(size)
    length = font.getlength(text)
    return font if length <= room else ImageFont.load_default(max(size * room / length, 1))
