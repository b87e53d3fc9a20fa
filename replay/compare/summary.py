"""Everything that a report says, as data: report.json is this."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replay.compare.anchors import ANCHORS
from replay.compare.clip import ClipFile
from replay.compare.equal import (
    RATES,
    Equal,
    Point,
    curves_against,
    equal,
    mean_point,
    median_point,
    ratios_by_clip,
)
from replay.compare.inception import frechet
from replay.compare.measure import CAMERA
from replay.compare.work import Result, Row, Task

QUOTED: Final = "predictive high"
"""The way that is compared: what `facewire compress` and a call begin with."""


@dataclass(frozen=True)
class Way:
    """One line of the tables: a way over the clips of a set that have it. fid: where it was asked for."""

    name: str
    family: str
    step: int | None
    clips: int
    mean: Point
    median: Point
    fid: float | None = None


class Group:
    """One set of clips."""

    def __init__(
        self,
        name: str,
        rows: Sequence[Row],
        files: Mapping[str, ClipFile],
        features: Mapping[tuple[str, str], NDArray[np.float32]],
    ) -> None:
        """Take rows of one set, its clips by name, and features [N,2048] by clip and way, where FID was asked for."""
        self.name, self.rows, self.files = name, list(rows), dict(files)
        self._features = features

    @property
    def clips(self) -> list[str]:
        """Names, sorted."""
        return sorted({row.clip for row in self.rows})

    @property
    def size_px(self) -> int:
        """Side of the largest pictures."""
        return max(row.size_px for row in self.rows)

    @property
    def quoted(self) -> str:
        """The way of ours that is quoted: at the clips' own size."""
        return f"facewire {self.size_px} {QUOTED}"

    @cached_property
    def ways(self) -> list[Way]:
        """Every way, in the order of what was measured first."""
        return [self._way(name) for name in dict.fromkeys(row.way for row in self.rows)]

    def of(self, name: str) -> list[Row]:
        """Rows of one way."""
        return [row for row in self.rows if row.way == name]

    def of_family(self, family: str) -> list[Row]:
        """Rows of all steps of a codec."""
        return [row for row in self.rows if row.family == family]

    @property
    def codecs(self) -> list[str]:
        """Codecs with results."""
        return [anchor.name for anchor in ANCHORS if self.of_family(anchor.name)]

    @property
    def ours(self) -> list[str]:
        """Ways of ours with results, the quoted one first."""
        names = [way.name for way in self.ways if way.name.startswith("facewire")]
        return sorted(names, key=lambda name: (name != self.quoted, -int(name.split()[1])))

    def against(self, way: str, codec: str) -> dict[str, Equal]:
        """One of our ways against a codec, by kind of rate; empty where both have no clip in common."""
        both = curves_against(self.of(way), self.of_family(codec))
        if both is None:
            return {}
        return {rate: found for rate in RATES if (found := equal(*both, rate)) is not None}

    def clip_ratios(self, way: str, codec: str, rate: str = RATES[0]) -> dict[str, float]:
        """The ratio of every clip by itself."""
        return ratios_by_clip(self.of(way), self.of_family(codec), rate)

    def _way(self, name: str) -> Way:
        rows = self.of(name)
        return Way(name, rows[0].family, rows[0].step, len(rows), mean_point(rows), median_point(rows), self._fid(name))

    def _fid(self, name: str) -> float | None:
        clips = [row.clip for row in self.of(name) if (row.clip, name) in self._features]
        if not clips:
            return None
        shown, camera = ([self._features[clip, way] for clip in clips] for way in (name, CAMERA))
        return frechet(np.concatenate(shown), np.concatenate(camera))


def group_results(results: dict[Task, Result]) -> list[Group]:
    """Results by set of clips."""
    groups = []
    for name in sorted({task.file.group for task in results}):
        mine = {task: result for task, result in results.items() if task.file.group == name}
        rows = [row for result in mine.values() for row in result.rows]
        features = {
            (task.file.name, way): values for task, result in mine.items() for way, values in result.features.items()
        }
        if rows:
            groups.append(Group(name, rows, {task.file.name: task.file for task in mine}, features))
    return groups


def as_json(groups: Sequence[Group]) -> dict[str, Any]:
    """The figures of all sets."""
    return {
        "bits_ratio_at_equal_picture": {group.name: _quoted_ratios(group) for group in groups},
        "equal_picture": {group.name: _all_ratios(group) for group in groups},
        "sets": {group.name: _set(group) for group in groups},
        "clips": [asdict(row) for group in groups for row in group.rows],
    }


def _quoted_ratios(group: Group) -> dict[str, float | None]:
    """Payload, P frames against motion, the default way at the clips' own size."""
    found = {codec: group.against(group.quoted, codec).get(RATES[0]) for codec in group.codecs}
    return {codec: None if one is None else round(one.ratio, 2) for codec, one in found.items()}


def _all_ratios(group: Group) -> dict[str, Any]:
    ways: dict[str, Any] = {}
    for way in group.ours:
        for codec in group.codecs:
            by_clip = group.clip_ratios(way, codec)
            if by_clip:
                rates = {rate: one.as_dict() for rate, one in group.against(way, codec).items()}
                values = list(by_clip.values())
                spread = {"median": median(values), "min": min(values), "max": max(values)}
                ways.setdefault(way, {})[codec] = {**rates, "clips": spread, "by_clip": by_clip}
    return ways


def _set(group: Group) -> dict[str, Any]:
    ways = [
        {
            "way": way.name,
            "clips": way.clips,
            "rates": dict(way.mean.rates),
            "mean": dict(way.mean.figures),
            "median": dict(way.median.figures),
            "fid": way.fid,
        }
        for way in group.ways
    ]
    return {"clips": group.clips, "size_px": group.size_px, "quoted": group.quoted, "ways": ways}
