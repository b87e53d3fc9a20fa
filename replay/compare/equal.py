"""What equal pictures cost: the rate at which a codec reaches our LPIPS, and the one at which it reaches our AKD.

LPIPS alone proves nothing, for the source picture shown again and again scores well; so the smaller of the two rates
counts. Curves are means over clips of equal weight, interpolated in the logarithm of the rate. Where we are better than
a codec's best step, or worse than its last one, its end of the curve is taken and the answer says so.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Final, Literal

import numpy as np

from replay.compare.rates import Rates
from replay.compare.work import Row

Bound = Literal["at least", "at most"]
JUDGES: Final = ("lpips", "akd_px")
RATES: Final = ("steady_kbps", "steady_wire_kbps", "minute_kbps", "minute_wire_kbps")
"""Payload and wire; P frames against motion, and with both pictures of the start over a minute."""


@dataclass(frozen=True)
class Point:
    """One step of a codec, or one way of ours: rates and figures by name, means over clips."""

    rates: Mapping[str, float]
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Rate:
    """A rate of a codec; bound: on the side of the codec's curve on which it ends."""

    kbps: float
    bound: Bound | None = None


@dataclass(frozen=True)
class Equal:
    """A codec against one way of ours, in one kind of rate. by: which figure the smaller rate comes from."""

    by_figure: Mapping[str, Rate]
    by: str
    ours_kbps: float

    @property
    def codec(self) -> Rate:
        """The smaller of the codec's rates."""
        return self.by_figure[self.by]

    @property
    def ratio(self) -> float:
        """How many times the codec's rate is ours."""
        return self.codec.kbps / self.ours_kbps

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        rates = {f"at_our_{name}": {"kbps": rate.kbps, "bound": rate.bound} for name, rate in self.by_figure.items()}
        return {"ratio": self.ratio, "bound": self.codec.bound, "by": self.by, "ours_kbps": self.ours_kbps, **rates}


def rate_at(curve: Sequence[Point], figure: str, value: float, rate: str) -> Rate:
    """The rate at which a codec's figure (less is better) comes to `value`, between the two steps around it."""
    steps = sorted(curve, key=lambda point: point.rates[rate])  # cheapest, and worst, first
    if value >= steps[0].figures[figure]:
        return Rate(steps[0].rates[rate], "at most")
    for worse, better in zip(steps, steps[1:], strict=False):
        a, b = worse.figures[figure], better.figures[figure]
        if b <= value < a:
            share = (a - value) / (a - b)
            low, high = math.log(worse.rates[rate]), math.log(better.rates[rate])
            return Rate(math.exp(low + share * (high - low)))
    return Rate(steps[-1].rates[rate], "at least")


def figure_at(curve: Sequence[Point], figure: str, kbps: float, rate: str) -> float:
    """A codec's figure where its rate is `kbps`, between the two steps around it, else at its end."""
    steps = sorted(curve, key=lambda point: point.rates[rate])
    rates = [math.log(point.rates[rate]) for point in steps]
    return float(np.interp(math.log(kbps), rates, [point.figures[figure] for point in steps]))


def equal(curve: Sequence[Point], ours: Point, rate: str) -> Equal | None:
    """A codec against a way of ours; None where a figure was not measured, or our way costs nothing."""
    known = [point for point in curve if all(name in point.figures for name in JUDGES)]
    if not known or any(name not in ours.figures for name in JUDGES) or not ours.rates[rate]:
        return None
    found = {name: rate_at(known, name, ours.figures[name], rate) for name in JUDGES}
    return Equal(found, min(JUDGES, key=lambda name: found[name].kbps), ours.rates[rate])


def mean_point(rows: Iterable[Row]) -> Point:
    """Means over clips; a figure over the clips that have it."""
    return _over_clips(list(rows), fmean)


def median_point(rows: Iterable[Row]) -> Point:
    """Medians over clips."""
    return _over_clips(list(rows), median)


def _over_clips(rows: Sequence[Row], statistic: Any) -> Point:
    names = [name for name in Rates.__dataclass_fields__ if getattr(rows[0].rates, name) is not None]
    rates = {name: float(statistic([getattr(row.rates, name) for row in rows])) for name in names}
    columns = {name: [row.figures.get(name) for row in rows] for row in rows for name in row.figures}
    known = {name: [value for value in column if value is not None] for name, column in columns.items()}
    return Point(rates, {name: float(statistic(column)) for name, column in known.items() if column})


def curves_against(ours: Sequence[Row], codec: Sequence[Row]) -> tuple[list[Point], Point] | None:
    """A codec's steps and our point as means over the clips that both have; None where there are none."""
    clips = {row.clip for row in ours} & {row.clip for row in codec}
    if not clips:
        return None
    steps = sorted({row.step for row in codec if row.step is not None})
    curve = [mean_point([row for row in codec if row.step == step and row.clip in clips]) for step in steps]
    return curve, mean_point([row for row in ours if row.clip in clips])


def ratios_by_clip(ours: Sequence[Row], codec: Sequence[Row], rate: str) -> dict[str, float]:
    """The ratio of each clip by itself, against the codec's curve on that clip."""
    found = {}
    for row in ours:
        curve = [mean_point([step]) for step in codec if step.clip == row.clip]
        one = equal(curve, mean_point([row]), rate) if curve else None
        if one is not None:
            found[row.clip] = one.ratio
    return found
