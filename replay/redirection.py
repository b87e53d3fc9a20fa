"""Faces turned to another view (FV2V sec. 4.2, Table 3): does the head stand where it was asked to, and who is it?

A picture counts as good, as in Table 3, when its head is within 15 degrees of the pose asked for, and as the same
person by the recognition network's own threshold (FV2V: another network, distance 0.05). A face that is not found is
neither.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from models.geometry import rotation_matrix
from models.weights import Model
from receiver.look import Look, Turn
from receiver.render import FaceRenderer
from replay.identity import SAME_BELOW
from replay.people import Array, Image, Looker, Person
from sender.extract import Extractor

GOOD_DEG: Final = 15.0
TURNED_FROM_DEG: Final = 8.0
"""Heads at least so far from frontal are worth frontalising."""
FRONTALISED_EACH: Final = 4
TURNS: Final[tuple[Turn, ...]] = (
    *((yaw, 0.0, 0.0) for yaw in (-30.0, -20.0, -10.0, 10.0, 20.0, 30.0)),
    *((0.0, pitch, 0.0) for pitch in (-20.0, -10.0, 10.0, 20.0)),
)


@dataclass(frozen=True)
class Turned:
    """One picture of a turned head. turn: what was asked for, None to face the viewer. angle_deg: distance of the head
    from the pose asked for; None without a face. identity: distance of descriptors to the picture it was made from.
    """

    person: str
    turn: Turn | None
    start_deg: float
    angle_deg: float | None
    identity: float | None
    picture: Image
    source: Image


@dataclass(frozen=True)
class Redirection:
    """Figures over pictures that were asked for the same: shares in [0,1]."""

    pictures: int
    faces_found: float
    angle_deg: float | None
    """Mean distance from the pose asked for."""
    start_deg: float
    """The same of the pictures before they were turned."""
    good_angle: float
    good_identity: float | None
    both: float | None
    identity: float | None


def redirect(model: Model, people: Sequence[Person], looker: Looker) -> Iterator[Turned]:
    """Turn each person's source picture by every one of `TURNS`, and their most turned pictures to the viewer.

    Views are bent at the model's limits, as a viewer gets them.
    """
    firsts = {person.identity: person for person in reversed(people)}
    with closing(Extractor(model)) as extractor:
        for person in firsts.values():
            for turn in TURNS:
                yield _turned(model, extractor, person, 0, turn, looker)
            for number in turned_pictures(person):
                yield _turned(model, extractor, person, number, None, looker)


def turned_pictures(person: Person) -> list[int]:
    """Numbers of the pictures whose heads are furthest from frontal, if they are at all."""
    angles = np.where(person.seen.found, _angles_deg(person.seen.rotations), -1.0)
    order = np.argsort(-angles)[:FRONTALISED_EACH]
    return sorted(int(number) for number in order if angles[number] >= TURNED_FROM_DEG)


def _turned(
    model: Model, extractor: Extractor, person: Person, number: int, turn: Turn | None, looker: Looker
) -> Turned:
    source, start = person.pictures[number], person.seen.rotations[number]
    extractor.set_source(source)
    motion = extractor.extract_now(source, 0.0).motion
    look = Look(frontalise=True) if turn is None else Look(view_deg=turn)
    with closing(FaceRenderer(model, look=look)) as renderer:
        renderer.set_source_now(source)
        picture = renderer.render_now(motion)
    seen = looker.look([picture])
    wanted = np.eye(3) if turn is None else _rotation(turn) @ start
    off = None
    if seen.found[0]:
        off = float(_angles_deg(seen.rotations[:1] @ wanted.T)[0])
    own = person.seen.descriptors
    to_own = None if own is None else seen.distances(own[number])
    identity = float(to_own[0]) if to_own is not None and np.isfinite(to_own[0]) else None
    before = float(_angles_deg((start @ wanted.T)[None])[0])
    return Turned(person.name, turn, before, off, identity, picture, source)


def summarise(turned: Sequence[Turned], recognised: bool) -> Redirection:
    """Figures of pictures that were asked for the same; `recognised`: whether there was a recognition network."""
    angles = [one.angle_deg for one in turned if one.angle_deg is not None]
    identities = [one.identity for one in turned if one.identity is not None]
    good = [one.angle_deg is not None and one.angle_deg <= GOOD_DEG for one in turned]
    same = [one.identity is not None and one.identity < SAME_BELOW for one in turned]
    return Redirection(
        pictures=len(turned),
        faces_found=len(angles) / len(turned),
        angle_deg=float(np.mean(angles)) if angles else None,
        start_deg=float(np.mean([one.start_deg for one in turned])),
        good_angle=float(np.mean(good)),
        good_identity=float(np.mean(same)) if recognised else None,
        both=float(np.mean([a and b for a, b in zip(good, same, strict=True)])) if recognised else None,
        identity=float(np.mean(identities)) if identities else None,
    )


def _rotation(turn: Turn) -> Array:
    R: Array = rotation_matrix(*(torch.tensor(angle, dtype=torch.float64) for angle in turn)).numpy()
    return R


def _angles_deg(rotations: Array) -> Array:
    """Angle [N] of rotations [N,3,3] in degrees."""
    cosine = (np.trace(rotations, axis1=1, axis2=2) - 1) / 2
    return np.asarray(np.degrees(np.arccos(cosine.clip(-1, 1))))
