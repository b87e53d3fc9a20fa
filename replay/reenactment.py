"""Cross-identity: the motion of one person on another's picture (FV2V Table 2, SAP Table 2), measured.

There is no right picture to compare with. What can be asked: does the head turn as the driver's (`pose_deg`), does the
face do what the driver's does (`expression_percent`, mouth and lids), and is it still the source's person
(`identity_source`, SAP's AED) rather than the driver's (`identity_driver`)?
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Final, Literal

import numpy as np

from codec.motion import Motion
from models.training.comparison import correlation, lid_opening, mouth_opening
from models.weights import Model
from receiver.render import FaceRenderer
from replay.animate import carry_over
from replay.identity import SAME_BELOW
from replay.people import Array, Image, Looker, Person, Seen
from sender.extract import Extractor

Mode = Literal["absolute", "relative", "relative to the first frame", "repeat the source"]
MODES: Final[tuple[Mode, ...]] = ("absolute", "relative", "relative to the first frame", "repeat the source")
FACE_HEIGHT: Final = 1.5
"""Of the mean face, in its own unit (models/training/mean_face.py)."""
DRIVERS_EACH: Final = 3


@dataclass(frozen=True)
class Reenactment:
    """Means over the frames of one driver on one source. None: no recognition network, or a curve that stands still."""

    source: str
    driver: str
    mode: Mode
    frames: int
    faces_found: float
    pose_deg: float | None
    """Angle between the driver's head and the one shown; of turns since the first frame where motion is relative."""
    expression_percent: float | None
    """Distance of 468 landmarks, pose and the person's own face taken away, in % of the face's height."""
    mouth_correlation: float | None
    blink_correlation: float | None
    identity_source: float | None
    """Distance of descriptors to the source picture; SAP's AED is the same by another network."""
    identity_driver: float | None
    same_person: float | None
    """Share of frames that the recognition network takes for the source's person."""


@dataclass(frozen=True)
class Drawn:
    """Frames of one driver on one source picture."""

    source: Person
    driver: Person
    mode: Mode
    pictures: tuple[Image, ...]


def choose_pairs(people: Sequence[Person], drivers_each: int = DRIVERS_EACH) -> list[tuple[Person, Person]]:
    """Pair each person's first clip as a source with clips of `drivers_each` other people, round the table."""
    firsts = list({person.identity: person for person in reversed(people)}.values())[::-1]
    reach = min(drivers_each, len(firsts) - 1)
    steps = [1 + round(n * (len(firsts) - 2) / max(reach - 1, 1)) for n in range(reach)]
    return [(source, firsts[(at + step) % len(firsts)]) for at, source in enumerate(firsts) for step in steps]


def reenact(model: Model, pairs: Iterable[tuple[Person, Person]]) -> Iterator[Drawn]:
    """Draw every pair in every mode, as `facewire animate` does it."""
    with closing(Extractor(model)) as extractor:
        motions: dict[str, list[Motion]] = {}
        for source, driver in pairs:
            if driver.name not in motions:
                motions[driver.name] = _motions(extractor, driver)
            extractor.set_source(source.pictures[0])
            own = extractor.extract_now(source.pictures[0], 0.0).motion
            with closing(FaceRenderer(model)) as renderer:
                renderer.set_source_now(source.pictures[0])
                for mode, carried in _carried(own, motions[driver.name]).items():
                    yield Drawn(source, driver, mode, tuple(renderer.render_now(motion) for motion in carried))
            yield Drawn(source, driver, "repeat the source", (source.pictures[0],) * len(driver.pictures))


def _carried(own: Motion, motions: list[Motion]) -> dict[Mode, Iterable[Motion]]:
    return {
        "absolute": motions,
        "relative": carry_over(own, motions, "nearest"),
        "relative to the first frame": carry_over(own, motions, "first"),
    }


def _motions(extractor: Extractor, driver: Person) -> list[Motion]:
    extractor.set_source(driver.pictures[0])
    frames = zip(driver.pictures, driver.times_s, strict=True)
    return [extractor.extract_now(picture, time_s).motion for picture, time_s in frames]


def measure(drawn: Drawn, looker: Looker) -> Reenactment:
    """Measure one driver on one source."""
    source, driver = drawn.source.seen, drawn.driver.seen
    shown = _repeated(source, len(drawn.pictures)) if drawn.mode == "repeat the source" else looker.look(drawn.pictures)
    both = shown.found & driver.found
    relative = drawn.mode.startswith("relative")
    curves = [(curve(shown.points[both]), curve(driver.points[both])) for curve in (_mouth, _lids)]
    mouth, lids = (correlation(a, b) if both.sum() > 2 else None for a, b in curves)
    to_source = None if source.descriptors is None else shown.distances(source.descriptors[0])
    to_driver = None
    if shown.descriptors is not None and driver.descriptors is not None:
        to_driver = np.linalg.norm(shown.descriptors - driver.descriptors, axis=-1)
    return Reenactment(
        source=drawn.source.name,
        driver=drawn.driver.name,
        mode=drawn.mode,
        frames=len(drawn.pictures),
        faces_found=float(both.sum() / driver.found.sum()) if driver.found.any() else 0.0,
        pose_deg=_mean(pose_errors_deg(shown, driver, relative)[both]),
        expression_percent=_mean(expression_errors(shown, driver, source, relative)[both]) if both.any() else None,
        mouth_correlation=mouth,
        blink_correlation=lids,
        identity_source=None if to_source is None else _mean(to_source[both]),
        identity_driver=None if to_driver is None else _mean(to_driver[both]),
        same_person=None if to_source is None else _mean((to_source[both] < SAME_BELOW).astype(np.float64)),
    )


def pose_errors_deg(shown: Seen, driver: Seen, relative: bool) -> Array:
    """Angle [N] between heads, in degrees; of their turns since the first frame with both where `relative`."""
    a, b = shown.rotations, driver.rotations
    both = np.flatnonzero(shown.found & driver.found)
    if relative and len(both):
        a, b = a @ a[both[0]].T, b @ b[both[0]].T
    cosine = (np.einsum("nij,nij->n", a, b) - 1) / 2
    return np.asarray(np.degrees(np.arccos(cosine.clip(-1, 1))))


def expression_errors(shown: Seen, driver: Seen, source: Seen, relative: bool) -> Array:
    """Mean distance [N] of 468 landmarks' expressions, in % of the face's height.

    Each face is compared with its own person's neutral one; where `relative`, both with the first frame that has both.
    """
    a, b = shown.expressions(source.neutral), driver.expressions(driver.neutral)
    both = np.flatnonzero(shown.found & driver.found)
    if relative and len(both):
        a, b = a - a[both[0]], b - b[both[0]]
    return np.asarray(np.linalg.norm(a - b, axis=-1)[:, :468].mean(-1) * (100 / FACE_HEIGHT))


def mean_of(rows: Sequence[Reenactment]) -> dict[str, float | None]:
    """Means of the figures over rows of equal weight, each over those that have it."""
    names = [item.name for item in fields(Reenactment) if item.name not in ("source", "driver", "mode", "frames")]
    columns = {name: [value for row in rows if (value := getattr(row, name)) is not None] for name in names}
    return {name: float(np.mean(values)) if values else None for name, values in columns.items()}


def _repeated(source: Seen, count: int) -> Seen:
    descriptors = None if source.descriptors is None else source.descriptors[:1].repeat(count, 0)
    return Seen(source.points[:1].repeat(count, 0), descriptors)


def _mouth(points: Array) -> Array:
    return mouth_opening(points[..., :2])


def _lids(points: Array) -> Array:
    return lid_opening(points[..., :2])


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None
