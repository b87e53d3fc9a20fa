"""`facewire validate-finder`: how well the face finder finds, on composed pictures of validation people and real ones.

A face counts as missed when its score is below the threshold or its box overlaps the labelled one by less than half
(intersection over union); a picture without a face counts as a false alarm from the threshold on.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.face_finder import SURE, FaceBox, FaceFinder
from models.face_finder_weights import load_finder
from models.training.clip_files import find_sources, read_frames, read_still
from models.training.crop import landmark_boxes
from models.training.finder_faces import load_people
from models.training.finder_pictures import Composer
from models.training.landmarker import Landmarker, Picture

MATCH = 0.5
"""Overlap from which a box is of the labelled face."""
COMPOSED_PX = 256
"""Larger than what the network sees, so that the second look has something to look at."""

Box = NDArray[np.float64]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Labelled:
    """A picture uint8 RGB [H,W,3] and the boxes [n,4] of its faces, the largest of which is wanted."""

    picture: Picture
    boxes: Box


@dataclass(frozen=True)
class Figures:
    """What was measured on a set of pictures; centre error in shares of the face's side; means over faces hit."""

    faces: int
    missed: float
    overlap: float
    overlap_p10: float
    centre_error: float
    empty: int
    false_alarms: float


def overlap(face: FaceBox, box: Box) -> float:
    """Intersection over union of a found face and a labelled box [4]."""
    left, top = face.centre_x - face.width / 2, face.centre_y - face.height / 2
    across = min(left + face.width, box[2]) - max(left, box[0])
    down = min(top + face.height, box[3]) - max(top, box[1])
    shared = max(0.0, float(across)) * max(0.0, float(down))
    return shared / (face.width * face.height + float((box[2] - box[0]) * (box[3] - box[1])) - shared)


def measure(finder: FaceFinder, pictures: Iterable[Labelled], threshold: float = SURE) -> Figures:
    """Find the face in each picture. Of two faces either may be chosen when the smaller is over 0.8 of the larger."""
    overlaps: list[float] = []
    errors: list[float] = []
    faces = alarms = empty = 0
    for one in pictures:
        found = finder.find(one.picture)
        if not len(one.boxes):
            empty += 1
            alarms += found.score >= threshold
            continue
        faces += 1
        sides = (one.boxes[:, 2:] - one.boxes[:, :2]).max(1)
        wanted = one.boxes[sides >= 0.8 * sides.max()]
        best, box = max(((overlap(found, box), box) for box in wanted), key=lambda pair: pair[0])
        if found.score >= threshold and best >= MATCH:
            overlaps.append(best)
            middle = (box[:2] + box[2:]) / 2
            away = np.hypot(found.centre_x - middle[0], found.centre_y - middle[1])
            errors.append(float(away / (box[2:] - box[:2]).max()))
    return Figures(
        faces=faces,
        missed=1 - len(overlaps) / faces if faces else 0.0,
        overlap=float(np.mean(overlaps)) if overlaps else 0.0,
        overlap_p10=float(np.percentile(overlaps, 10)) if overlaps else 0.0,
        centre_error=float(np.mean(errors)) if errors else 1.0,
        empty=empty,
        false_alarms=alarms / empty if empty else 0.0,
    )


def composed(data: Path, split: str, number: int, seed: int = 1) -> Iterator[Labelled]:
    """Compose pictures of people of one split."""
    composer = Composer(load_people(data, [split], size=256), COMPOSED_PX, seed)
    for _ in range(number):
        one = composer.draw()
        yield Labelled(one.picture, one.boxes.astype(np.float64))


def labelled(path: Path, python: Path, each: int = 10) -> Iterator[Labelled]:
    """Pictures of a folder or every `each`-th frame of a clip, with MediaPipe's box; those without a face are left out.

    Raises PrepareError, ClipRejected.
    """
    with Landmarker(python) as landmarker:
        for source in find_sources([path], "real"):
            still = source.kind == "still"
            pictures = [read_still(source.path)] if still else list(read_frames(source.path))[::each]
            for picture in pictures:
                boxes = landmark_boxes(landmarker.find(picture, still=True)[None])
                if np.isfinite(boxes).all():
                    yield Labelled(picture, boxes)


def validate_finder(
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")],
    weights: Annotated[Path | None, typer.Argument(help="Folder with finder.json. Default: the shipped one.")] = None,
    split: Annotated[str, typer.Option(help="Set of people to compose pictures of.")] = "val",
    number: Annotated[int, typer.Option(help="Composed pictures.")] = 500,
    real: Annotated[list[Path] | None, typer.Option(help="Clip, picture or folder, labelled by MediaPipe.")] = None,
    mediapipe_python: Annotated[Path | None, typer.Option(help="A python that has MediaPipe 0.10.21.")] = None,
    threshold: Annotated[float, typer.Option(help="Score from which a face counts.")] = SURE,
    report: Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")] = None,
) -> None:
    """Measure the face finder: misses, false alarms, overlap of boxes, error of the middle."""
    torch.set_num_threads(1)
    finder = load_finder(weights)
    figures = {f"composed, {split}": measure(finder, composed(data, split, number), threshold)}
    for path in real or []:
        if mediapipe_python is None:
            raise typer.BadParameter("--real needs --mediapipe-python for its labels")
        figures[path.name] = measure(finder, labelled(path, mediapipe_python), threshold)
    Console().print(_table(figures))
    if report is not None:
        report.write_text(json.dumps({name: asdict(one) for name, one in figures.items()}, indent=2) + "\n")


def _table(figures: dict[str, Figures]) -> Table:
    table = Table("pictures", "faces", "missed", "IoU mean", "IoU p10", "centre error", "empty", "false alarms")
    for name, one in figures.items():
        table.add_row(
            name,
            str(one.faces),
            f"{one.missed:.1%}",
            f"{one.overlap:.3f}",
            f"{one.overlap_p10:.3f}",
            f"{one.centre_error:.1%}",
            str(one.empty),
            f"{one.false_alarms:.1%}" if one.empty else "-",
        )
    return table
