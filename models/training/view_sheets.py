"""Pictures of other views to look at: a sheet of people turned step by step, and everybody for the model card.

views.jpg: six people, the middle frame of a clip each, turned to yaw 0, 10, 20, 30 to both sides and pitch 15 up and
down; a red frame marks views that the model's limits would not allow. people.jpg: all clips, source | driving | output
| output turned 20 degrees.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.geometry import HeadMotion, View, rotation_matrix, turn_deg
from models.renderer import Renderer
from models.training.dataset_index import Clip
from models.training.picture_grid import Row, write_grid
from models.training.validation_frames import ClipPictures, Frames, read_clip
from models.view import ViewLimits, load_limits, neck_of, turned_view
from models.weights import Model

TURNED_DEG = 20.0
PEOPLE = 6
VIEWS_DEG = ((0.0, -15.0), *((yaw, 0.0) for yaw in (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)), (0.0, 15.0))
"""Yaw and pitch of the sheet's columns."""
REFUSED_DEG = 1.0  # by so much the limits must bend a view before it is marked


def write_view_sheets(model: Model, data: Path, clips: list[Clip], out: Path) -> list[Path]:
    """Render and write both sheets; returns their paths. Raises DataError."""
    rows: list[Row] = []
    people: dict[str, tuple[float, Row]] = {}
    limits = load_limits(model)
    for clip in clips:
        pictures = read_clip(data, clip, Frames(max(clip.frames // 2, 1), clip.frames, model.config.size))
        renderer, motion, score = _drive(model, pictures)
        output, turned = (
            renderer.render(motion, view_of(model, motion, yaw))[0] if yaw else renderer.render(motion)[0]
            for yaw in (0.0, TURNED_DEG)
        )
        rows.append(Row(clip.name, [pictures.source[0], pictures.driving[0], output, turned]))
        # of people with several clips, the one whose source picture shows most of a face
        if clip.identity not in people or people[clip.identity][0] < score:
            people[clip.identity] = (score, Row(clip.name, _turn(model, renderer, motion, pictures, limits)))
    out.mkdir(parents=True, exist_ok=True)
    titles = ("source", *(f"yaw {yaw:+.0f}" if not pitch else f"pitch {pitch:+.0f}" for yaw, pitch in VIEWS_DEG))
    write_grid(out / "views.jpg", titles, [row for _, row in list(people.values())[:PEOPLE]])
    write_grid(out / "people.jpg", ("source", "driving", "output", f"turned {TURNED_DEG:.0f} deg"), rows)
    return [out / "views.jpg", out / "people.jpg"]


def view_of(model: Model, motion: HeadMotion, yaw_deg: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> View:
    """A turn of the head under `motion` on its neck, without limits."""
    angles = torch.tensor((yaw_deg, pitch_deg, roll_deg), dtype=torch.float64)
    return turned_view(rotation_matrix(*angles), motion, neck_of(model))


def _drive(model: Model, pictures: ClipPictures) -> tuple[Renderer, HeadMotion, float]:
    """A renderer with the clip's source, the motion of its first driving frame, and the face score of the source."""
    renderer = Renderer(model)
    renderer.set_source(pictures.source)
    x_c = model.canonical(pictures.source)
    score = float(model.extract(pictures.source, x_c).face_score)
    return renderer, model.extract(pictures.driving[:1], x_c).motion, score


def _turn(
    model: Model, renderer: Renderer, motion: HeadMotion, pictures: ClipPictures, limits: ViewLimits
) -> list[Tensor]:
    R_d = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)[0].double().cpu()
    R_s = renderer.source_rotation.double().cpu()
    shown = [pictures.source[0]]
    for yaw, pitch in VIEWS_DEG:
        view = view_of(model, motion, yaw, pitch)
        picture = renderer.render(motion, view)[0].cpu()
        R_u = rotation_matrix(view.yaw_deg, view.pitch_deg, view.roll_deg)[0].double().cpu()
        bent_deg = float(turn_deg(limits(R_u, R_d, R_s) @ R_u.mT).norm())
        shown.append(_frame(picture) if bent_deg > REFUSED_DEG else picture)
    return shown


def _frame(picture: Tensor) -> Tensor:
    """The picture [3,S,S] with a red frame around it."""
    framed, width = picture.clone(), max(1, picture.shape[-1] // 64)
    edge = np.ones(picture.shape[-2:], bool)
    edge[width:-width, width:-width] = False
    framed[:, torch.from_numpy(edge)] = torch.tensor((1.0, 0.1, 0.1))[:, None]
    return framed
