"""Line charts as pictures, drawn with Pillow at twice their size and scaled down, which smooths every edge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

SCALE: Final = 2
PANEL_PX: Final = (760, 520)
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 96, 64  # of the panel, around the plot
PAPER, INK, QUIET, GRID = (255, 255, 255), (30, 30, 30), (110, 110, 110), (228, 228, 228)
COLOURS: Final = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
    (90, 90, 90), (150, 110, 60),
)  # fmt: skip
"""The first six are told apart by people who see fewer colours, too (Okabe and Ito)."""


@dataclass(frozen=True)
class Axis:
    """What an axis says; it spans its first to its last tick."""

    label: str
    ticks: Sequence[float]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies: 0 at the first tick, 1 at the last; values beyond them lie on the border."""
        low, high, here = self.ticks[0], self.ticks[-1], min(max(value, self.ticks[0]), self.ticks[-1])
        if self.log:
            return math.log(here / low) / math.log(high / low)
        return (here - low) / (high - low)


@dataclass(frozen=True)
class Series:
    """One curve: points (x, y), words beside some of them, by index: above to the right, or `below` to the left."""

    name: str
    points: Sequence[tuple[float, float]]
    words: dict[int, str] = field(default_factory=dict)
    dashed: bool = False
    below: bool = False


class Mark(NamedTuple):
    """A line across the plot at a value of x or y, with a word: a bar to reach, somebody's figure."""

    axis: str
    value: float
    word: str


@dataclass(frozen=True)
class Panel:
    """One plot."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    marks: Sequence[Mark] = ()


def draw(panels: Sequence[Panel]) -> Image.Image:
    """Draw plots side by side: RGB, 760x520 px each."""
    width, height = PANEL_PX
    sheet = Image.new("RGB", (SCALE * width * len(panels), SCALE * height), PAPER)
    for index, panel in enumerate(panels):
        _Plot(ImageDraw.Draw(sheet), panel, index * width).draw()
    return sheet.resize((width * len(panels), height), Image.Resampling.LANCZOS)


def _plain(tick: float) -> str:
    """A number without an exponent."""
    return f"{tick:.8f}".rstrip("0").rstrip(".")


class _Plot:
    """One panel on the sheet; all sizes are in pixels of the finished picture."""

    def __init__(self, pen: ImageDraw.ImageDraw, panel: Panel, left: int) -> None:
        self._pen = pen
        self._panel = panel
        self._panel_left = left
        width, height = PANEL_PX
        self._left, self._right = left + LEFT, left + width - RIGHT
        self._top, self._bottom = TOP, height - BOTTOM

    def draw(self) -> None:
        self._text((self._panel_left + LEFT, 20), self._panel.title, 16, INK, "lm")
        self._axes()
        for mark in self._panel.marks:
            self._mark(mark)
        for index, series in enumerate(self._panel.series):
            self._curve(series, COLOURS[index % len(COLOURS)])
        self._legend()

    def _axes(self) -> None:
        for tick in self._panel.x.ticks:
            x, _ = self._at(tick, self._panel.y.ticks[0])
            self._line([(x, self._top), (x, self._bottom)], GRID, 1)
            self._text((x, self._bottom + 14), _plain(tick), 12, QUIET, "mm")
        for tick in self._panel.y.ticks:
            _, y = self._at(self._panel.x.ticks[0], tick)
            self._line([(self._left, y), (self._right, y)], GRID, 1)
            self._text((self._left - 8, y), _plain(tick), 12, QUIET, "rm")
        self._line([(self._left, self._top), (self._left, self._bottom), (self._right, self._bottom)], QUIET, 1)
        self._text(((self._left + self._right) / 2, self._bottom + 40), self._panel.x.label, 13, INK, "mm")
        self._text((self._left - 40, self._top - 14), self._panel.y.label, 13, INK, "lm")

    def _mark(self, mark: Mark) -> None:
        if mark.axis == "x":
            x, _ = self._at(mark.value, self._panel.y.ticks[0])
            self._dashes((x, self._top), (x, self._bottom), QUIET)
            self._text((x + 4, self._top + 8), mark.word, 11, QUIET, "lm")
        else:
            _, y = self._at(self._panel.x.ticks[0], mark.value)
            self._dashes((self._left, y), (self._right, y), QUIET)
            self._text((self._right - 4, y - 8), mark.word, 11, QUIET, "rm")

    def _curve(self, series: Series, colour: tuple[int, int, int]) -> None:
        places = [self._at(x, y) for x, y in series.points]
        for start, end in zip(places, places[1:], strict=False):
            self._stroke(start, end, colour, series.dashed)
        for index, (x, y) in enumerate(places):
            self._dot(x, y, colour)
            if index in series.words:
                place, anchor = ((x - 7, y + 10), "rm") if series.below else ((x + 8, y - 9), "lm")
                self._text(place, series.words[index], 11, colour, anchor)

    def _legend(self) -> None:
        x, y = float(self._left), 44.0
        for index, series in enumerate(self._panel.series):
            colour = COLOURS[index % len(COLOURS)]
            length = 30 + self._length(series.name, 12)
            if x + length > self._right and x > self._left:
                x, y = float(self._left), y + 16
            self._stroke((x, y), (x + 18, y), colour, series.dashed)
            self._dot(x + 9, y, colour)
            self._text((x + 24, y), series.name, 12, INK, "lm")
            x += length + 14

    def _at(self, x: float, y: float) -> tuple[float, float]:
        across, up = self._panel.x.place(x), self._panel.y.place(y)
        return self._left + across * (self._right - self._left), self._bottom - up * (self._bottom - self._top)

    def _line(self, places: Sequence[tuple[float, float]], colour: tuple[int, int, int], width: int) -> None:
        self._pen.line([(SCALE * x, SCALE * y) for x, y in places], colour, SCALE * width, "curve")

    def _stroke(
        self, start: tuple[float, float], end: tuple[float, float], colour: tuple[int, int, int], dashed: bool
    ) -> None:
        if dashed:
            self._dashes(start, end, colour, 2)
        else:
            self._line([start, end], colour, 2)

    def _dashes(
        self, start: tuple[float, float], end: tuple[float, float], colour: tuple[int, int, int], width: int = 1
    ) -> None:
        steps = max(int(math.dist(start, end) / 5), 1)
        for step in range(0, steps, 2):
            shares = step / steps, min(step + 1, steps) / steps
            places = [tuple(a + share * (b - a) for a, b in zip(start, end, strict=True)) for share in shares]
            self._line([(place[0], place[1]) for place in places], colour, width)

    def _dot(self, x: float, y: float, colour: tuple[int, int, int], radius: float = 3.5) -> None:
        box = [SCALE * side for side in (x - radius, y - radius, x + radius, y + radius)]
        self._pen.ellipse(box, colour)

    def _text(
        self, place: tuple[float, float], words: str, size: int, colour: tuple[int, int, int], anchor: str
    ) -> None:
        font = ImageFont.load_default(SCALE * size)
        self._pen.text((SCALE * place[0], SCALE * place[1]), words, colour, font, anchor=anchor)

    def _length(self, words: str, size: int) -> float:
        return ImageFont.load_default(SCALE * size).getlength(words) / SCALE
