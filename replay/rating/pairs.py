"""What is rated: pairs of videos of one clip, told by `pairs.json` in their folder, and a rater's order of them."""

import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from replay.errors import RatingError
from signaling.messages import first_complaint

PAIRS_FILE: Final = "pairs.json"
QUESTION: Final = "Which of the two looks better?"


class Version(BaseModel):
    """One version of a clip. name: what made it, never shown to the rater. video: an .mp4 beside `pairs.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    video: str = Field(min_length=1, max_length=500)


class Pair(BaseModel):
    """Two versions of one clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=200)
    clip: str = Field(min_length=1, max_length=200)
    a: Version
    b: Version


class PairSet(BaseModel):
    """All that is rated in one sitting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    question: Annotated[str, Field(min_length=1, max_length=300)] = QUESTION
    pairs: tuple[Pair, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Shown:
    """A pair as one rater sees it."""

    pair: Pair
    left: Version
    right: Version


def read_pairs(folder: Path) -> PairSet:
    """Read `pairs.json` and look whether its videos are there. Raises RatingError."""
    path = folder / PAIRS_FILE
    try:
        found = PairSet.model_validate_json(path.read_text())
    except OSError:
        raise RatingError(
            f"{path}: expected the pairs that `facewire compare --out {folder}` writes, found no such file"
        ) from None
    except ValidationError as error:
        raise RatingError(f"{path}: expected pairs of videos, got {first_complaint(error)}") from None
    ids = [pair.id for pair in found.pairs]
    if len(set(ids)) < len(ids):
        raise RatingError(f"{path}: expected every pair to have an id of its own, got one twice")
    for pair in found.pairs:
        for version in (pair.a, pair.b):
            file = (folder / version.video).resolve()
            if not file.is_relative_to(folder.resolve()) or not file.is_file():
                raise RatingError(f"{path}: expected the video {version.video} in {folder}, found none there")
    return found


def write_pairs(folder: Path, pairs: PairSet) -> Path:
    """Write `pairs.json` beside its videos; returns its path."""
    path = folder / PAIRS_FILE
    path.write_text(json.dumps(pairs.model_dump(), indent=2) + "\n")
    return path


def order_for(rater: str, pairs: PairSet, rated: Collection[str] = ()) -> list[Shown]:
    """The pairs not yet rated, in this rater's random order, each with its sides drawn: the same on every start."""
    order = []
    for pair in pairs.pairs:
        drawn = random.Random(f"{rater}\0{pair.id}")
        left, right = (pair.a, pair.b) if drawn.random() < 0.5 else (pair.b, pair.a)
        order.append((drawn.random(), Shown(pair, left, right)))
    order.sort(key=lambda entry: entry[0])
    return [shown for _, shown in order if shown.pair.id not in rated]
