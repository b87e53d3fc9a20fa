"""The CSV of choices, a line each, written as it is made; and the preference score that follows from it.

FV2V (sec. 4.3, B.4) shows workers two videos and reports the share of choices that prefer one method. Here "no
difference" may be answered too and counts as half a choice for each; the interval is Wilson's, at 95 %.
"""

import csv
import math
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from replay.errors import RatingError
from replay.rating.pairs import Shown

Side = Literal["left", "right", "same"]
COLUMNS: Final = ("time_utc", "rater", "pair", "clip", "left", "right", "choice", "preferred", "seconds")
Z_95: Final = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


@dataclass(frozen=True)
class Choice:
    """One line of the CSV. preferred: the name of the version that was chosen, empty for no difference."""

    time_utc: str
    rater: str
    pair: str
    clip: str
    left: str
    right: str
    choice: Side
    preferred: str
    seconds: float


def choose(shown: Shown, side: Side, rater: str, time_utc: str, seconds: float) -> Choice:
    """Make the line for a rater's answer; `seconds` is how long they looked."""
    preferred = {"left": shown.left.name, "right": shown.right.name, "same": ""}[side]
    pair = shown.pair
    names = (shown.left.name, shown.right.name)
    return Choice(time_utc, rater, pair.id, pair.clip, *names, side, preferred, round(seconds, 1))


def append_choice(path: Path, choice: Choice) -> None:
    """Write one line, on disk when this returns. Raises OSError."""
    new = not path.exists() or path.stat().st_size == 0
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(COLUMNS)
        writer.writerow([getattr(choice, name) for name in COLUMNS])
        file.flush()
        os.fsync(file.fileno())


def read_choices(path: Path) -> list[Choice]:
    """Read the lines made so far; none where there is no file. Raises RatingError for a file that is none of ours."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if rows and tuple(rows[0]) != COLUMNS:
        raise RatingError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(rows[0])}")
    return [_parse(path, number, row) for number, row in enumerate(rows[1:], 2)]


def _parse(path: Path, number: int, row: list[str]) -> Choice:
    fields = dict(zip(COLUMNS, row, strict=False))
    try:
        if len(row) != len(COLUMNS) or fields["choice"] not in get_args(Side):
            raise ValueError
        return Choice(**{**fields, "seconds": float(fields["seconds"])})  # type: ignore[arg-type]
    except ValueError:
        raise RatingError(f"{path}: expected a choice in line {number}, got {','.join(row)[:80]!r}") from None


@dataclass(frozen=True)
class Preference:
    """How two methods fared against each other: `score` is the share of choices for `method`, ties half, in [0,1]."""

    method: str
    against: str
    choices: int
    preferred: int
    same: int
    raters: int
    score: float
    low: float
    high: float
    """The 95 % interval of the score."""


def preferences(choices: Iterable[Choice]) -> list[Preference]:
    """Count the choices between each two methods, the better one first; a pair that one rater judged twice counts once,
    with the last answer.
    """
    last = {(choice.rater, choice.pair): choice for choice in choices}
    groups: dict[tuple[str, str], list[Choice]] = defaultdict(list)
    for choice in last.values():
        a, b = sorted((choice.left, choice.right))
        groups[a, b].append(choice)
    return [_preference(names, group) for names, group in sorted(groups.items())]


def _preference(names: tuple[str, str], group: list[Choice]) -> Preference:
    won = {name: sum(choice.preferred == name for choice in group) for name in names}
    method, against = sorted(names, key=lambda name: (-won[name], name))
    same = sum(choice.choice == "same" for choice in group)
    score = (won[method] + same / 2) / len(group)
    low, high = wilson(score, len(group))
    raters = len({choice.rater for choice in group})
    return Preference(method, against, len(group), won[method], same, raters, score, low, high)


def wilson(share: float, count: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's interval of a share in [0,1] of `count` answers (Wilson 1927). Raises ValueError for no answers."""
    if count < 1:
        raise ValueError(f"expected at least one answer, got {count}")
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
