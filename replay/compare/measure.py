"""How near the pictures of one way are to the clip's: whole pictures, and the faces in them.

Faces are looked for in each picture by itself, never tracked, so that a bad picture cannot lean on a good one before
it. One without a face counts for no distance, so a codec that loses faces looks better than it is: `faces_found` says.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.metrics import LpipsNetwork
from models.training.comparison import landmark_figures
from models.training.landmarker import LANDMARKS, Landmarker
from replay.compare.clip import Picture, Reference
from replay.compare.inception import Inception
from replay.compare.similarity import l1, psnr_db, ssim_and_ms_ssim
from replay.errors import IdentityError
from replay.identity import FaceRecogniser, distance

CAMERA: Final = "camera"
"""Beside the ways, where FID is asked for: features of the clip itself, without figures."""
IDENTITY_EVERY: Final = 4
"""Of the measured frames: a person does not become another one from frame to frame."""

Array = NDArray[np.float64]
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Face:
    """What was found in one picture: landmarks [478,2] in [-1,1], NaN without a face; a descriptor where asked for."""

    points: Array
    descriptor: Array | None


class Instruments:
    """Networks and the landmark process that measuring needs; a context manager, one a process.

    lpips None, python None: those figures are None.
    """

    def __init__(self, lpips: Path | None, python: Path | None, inception: Path | None = None) -> None:
        self._stack = contextlib.ExitStack()
        self.lpips: LpipsNetwork | None = None
        if lpips:
            self.lpips = LpipsNetwork(lpips).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.landmarker = self._stack.enter_context(Landmarker(python)) if python else None
        self.recogniser = recogniser_here() if self.landmarker else None
        self.inception = Inception(inception) if inception else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look(self, picture: Picture, describe: bool) -> Face:
        """Find the face in a picture."""
        if self.landmarker is None:
            return Face(np.full((LANDMARKS, 2), np.nan), None)
        found = self.landmarker.find(picture, still=True)[:, :2].astype(np.float64)
        descriptor = self.recogniser.describe(picture, found) if describe and self.recogniser else None
        return Face(found * (2 / picture.shape[0]) - 1, descriptor)

    @torch.inference_mode()
    def features(self, picture: Picture) -> list[Tensor]:
        """What LPIPS sees in a picture; nothing where its weights are not at hand."""
        return self.lpips.features(_tensor(picture)) if self.lpips else []

    @torch.inference_mode()
    def lpips_distance(self, a: list[Tensor], b: list[Tensor]) -> float | None:
        """LPIPS of two pictures by their features."""
        if self.lpips is None:
            return None
        total = 0.0
        for x, y, lin in zip(a, b, self.lpips.lin, strict=True):
            weights = cast(Tensor, lin.weight).flatten()
            total += float((((x - y) ** 2).mean((0, 2, 3)) * weights).sum())
        return total


@dataclass
class _Collected:
    """Figures of the frames of one way, as they come."""

    frames: list[Figures]
    faces: list[Face]
    inception: list[Any]


@dataclass(frozen=True)
class Measured:
    """Means over the measured frames of a clip; inception: [N,2048] features, where asked for."""

    figures: Figures
    inception: NDArray[np.float32] | None = None


def measure(
    reference: Reference, ways: Mapping[str, Mapping[int, Picture]], instruments: Instruments
) -> dict[str, Measured]:
    """Compare the pictures of several ways [S,S,3], by frame number, with the reference's.

    Frame by frame, so that what the instruments see in the reference is seen once and soon forgotten.
    """
    collected = {name: _Collected([], [], []) for name in ways}
    seen: list[Face] = []
    camera: list[Any] = []
    for place, number in enumerate(reference.measured):
        original, describe = reference.pictures[number], place % IDENTITY_EVERY == 0
        features = instruments.features(original)
        seen.append(instruments.look(original, describe))
        if instruments.inception:
            camera.append(instruments.inception(original))
        for name, pictures in ways.items():
            picture = pictures[number]
            figures = _of_pictures(picture, original)
            figures["lpips"] = instruments.lpips_distance(instruments.features(picture), features)
            figures["flicker"] = _flicker(reference, pictures, number)
            collected[name].frames.append(figures)
            collected[name].faces.append(instruments.look(picture, describe))
            if instruments.inception:
                collected[name].inception.append(instruments.inception(picture))
    measured = {name: _joined(one, seen) for name, one in collected.items()}
    return {**measured, CAMERA: Measured({}, np.stack(camera))} if camera else measured


def _of_pictures(picture: Picture, original: Picture) -> Figures:
    similarity, of_scales = ssim_and_ms_ssim(picture, original)
    near: Figures = {"l1": l1(picture, original), "psnr_db": psnr_db(picture, original)}
    return {**near, "ssim": similarity, "ms_ssim": of_scales}


def _flicker(reference: Reference, pictures: Mapping[int, Picture], number: int) -> float | None:
    """How unlike the change since the frame before is to the clip's own: mean of |dy - dx| in levels of 255."""
    if number == 0:
        return None
    own = pictures[number].astype(np.int16) - pictures[number - 1]
    true = reference.pictures[number].astype(np.int16) - reference.pictures[number - 1]
    return float(np.abs(own - true).mean())


def _joined(collected: _Collected, seen: Sequence[Face]) -> Measured:
    figures: Figures = {name: _mean([one[name] for one in collected.frames]) for name in collected.frames[0]}
    points = [np.stack([face.points for face in faces]) for faces in (collected.faces, seen)]
    if np.isfinite(points[1]).any():
        figures |= landmark_figures(*points)
    pairs = [(a.descriptor, b.descriptor) for a, b in zip(collected.faces, seen, strict=True)]
    apart = [float(distance(a, b)) for a, b in pairs if a is not None and b is not None]
    figures["identity"] = _mean([one for one in apart if np.isfinite(one)])
    features = np.stack(collected.inception) if collected.inception else None
    return Measured(figures, features)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def recogniser_here() -> FaceRecogniser | None:
    """None where the extra `identity` is not installed."""
    with contextlib.suppress(IdentityError):
        return FaceRecogniser()
    return None


def _tensor(picture: Picture) -> Tensor:
    scaled = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    return scaled.contiguous(memory_format=torch.channels_last)
