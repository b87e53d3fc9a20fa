"""Where the viewer looks from: the wish, how far it may go, and a face that looks at the viewer.

The viewer's turn R_u comes before the head's own: R_total = R_u R_d (FV2V sec. 4.2). What a picture holds up to is a
matter of how far R_total is from the source picture's pose R_s: what the source does not show has to be invented. So
limits are on the parts (yaw, pitch, roll) of the turn R_total R_s^T. They bind the viewer, never the person on the
other side: without a wish the total is R_d, however far that is.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.config import ModelConfig
from models.geometry import HeadMotion, View, euler_angles_deg, rotation_matrix, turn_deg, turn_rotation
from models.weights import Model, WeightsError

LIMITS_FILE = "view_limits.json"
KNEE = 0.75
"""Share of the room that a view takes at its word; beyond, it is slowed down and never quite gets to the end."""
NECK = (0.0, 0.75, 0.72)
"""About which point heads turn, in their own axes and in the canonical unit: below the face and behind it. By least
squares on the training clips: turns about it explain 58 % of the variance of heads' shifts (on the val clips 53 %).
"""
Range = tuple[float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class ViewLimits:
    """Lowest and highest yaw, pitch and roll, in degrees, of the total pose against the source's."""

    yaw_deg: Range
    pitch_deg: Range
    roll_deg: Range

    def __post_init__(self) -> None:
        for name, (low, high) in asdict(self).items():
            if not -90.0 <= low <= 0.0 <= high <= 90.0:
                raise ValueError(f"{name}: expected a range around 0 within -90 to 90, got {low:g} to {high:g}")

    def __call__(self, R_u: Tensor, R_d: Tensor, R_s: Tensor) -> Tensor:
        """The allowed part of a viewer's turn R_u [3,3] for a driving pose R_d of a source at R_s.

        Each part of the turn goes on freely through three quarters of the room that the head itself leaves, then ever
        more slowly: no jump, and R_u = I stays I. A view that brings the head back towards the source has all the
        room up to the other end.
        """
        own, wanted = turn_deg(R_d @ R_s.mT), turn_deg(R_u @ R_d @ R_s.mT)
        ends = torch.tensor((self.yaw_deg, self.pitch_deg, self.roll_deg), dtype=own.dtype)
        room = torch.where(wanted >= own, ends[:, 1] - own, own - ends[:, 0]).clamp(min=0.0)
        total = turn_rotation(own + soften(wanted - own, room)) @ R_s
        return total @ R_d.mT


CAUTIOUS = ViewLimits((-25.0, 25.0), (-15.0, 15.0), (-19.0, 19.0))
"""For weights of which nothing has been measured: what the training clips hold (99 %: 29, 15, 19), less in yaw."""


def soften(offset: Tensor, room: Tensor) -> Tensor:
    """Offset [...] bent so that it stays within room [...] >= 0 on both sides: itself up to 3/4 of it, then less."""
    rest = ((1.0 - KNEE) * room).clamp(min=1e-9)
    beyond = (offset.abs() - KNEE * room).clamp(min=0.0)
    size = torch.minimum(offset.abs(), KNEE * room) + rest * torch.tanh(beyond / rest)
    return torch.minimum(size, room) * offset.sign()


class Frontaliser:
    """Chooses R_u so that the face looks at the viewer: the inverse of the driving pose, smoothed.

    R_u is a filtered rotation, not a rotation by filtered angles: there is no order and no wrap in it. The filter is
    a one-euro filter (Casiez et al. 2012): slow while the head is still, so that noise in its pose does not shake the
    picture, and quicker the faster the head turns, so that the face is not left behind.
    """

    def __init__(self, cutoff_hz: float = 0.3, cutoff_hz_per_deg_s: float = 0.05, speed_cutoff_hz: float = 1.0) -> None:
        self._cutoff_hz = cutoff_hz
        self._cutoff_hz_per_deg_s = cutoff_hz_per_deg_s
        self._speed_cutoff_hz = speed_cutoff_hz
        self._steady: Tensor | None = None
        self._time_s = 0.0

    def __call__(self, R_d: Tensor, capture_time_s: float) -> Tensor:
        """R_u [3,3] for the driving pose R_d [3,3] of a frame; times rise. The first frame is faced at once."""
        if self._steady is None:
            self._steady, self._last, self._speed = R_d, R_d, torch.zeros(3, dtype=R_d.dtype)  # deg/s
        else:
            elapsed_s = max(capture_time_s - self._time_s, 1e-6)
            speed = turn_deg(R_d @ self._last.mT) / elapsed_s
            self._speed = self._speed + _share(self._speed_cutoff_hz, elapsed_s) * (speed - self._speed)
            cutoff_hz = self._cutoff_hz + self._cutoff_hz_per_deg_s * float(self._speed.norm())
            step = _share(cutoff_hz, elapsed_s) * turn_deg(R_d @ self._steady.mT)
            self._steady, self._last = turn_rotation(step) @ self._steady, R_d
        self._time_s = capture_time_s
        return self._steady.mT


def _share(cutoff_hz: float, elapsed_s: float) -> float:
    """How much of the way a low-pass goes in a time."""
    return 1.0 - float(torch.exp(torch.tensor(-2.0 * torch.pi * cutoff_hz * elapsed_s)))


class FreeView:
    """A viewer's choice, frame by frame, for one source picture.

    view_deg: yaw, pitch, roll to turn by, on top of a face that looks at the viewer (`frontalise`) or of the head's own
    pose. R_s [3,3]: pose of the head in the source picture. neck: see `turned_view`.
    """

    def __init__(
        self, view_deg: Point, frontalise: bool, limits: ViewLimits, R_s: Tensor, neck: Point | None = NECK
    ) -> None:
        self._turn = _rotation(*view_deg)
        self._frontaliser = Frontaliser() if frontalise else None
        self._limits = limits
        self._R_s = R_s.double().cpu().reshape(3, 3)
        self._neck = neck

    def turn_to(self, view_deg: Point) -> None:
        """Turn by other angles from the next frame on; a face that looks at the viewer goes on doing so smoothly."""
        self._turn = _rotation(*view_deg)

    def __call__(self, motion: HeadMotion, capture_time_s: float) -> View:
        """The view to render a driving motion (batch 1, on the CPU) from."""
        R_d = _rotation(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        R_u = self._turn
        if self._frontaliser is not None:
            R_u = R_u @ self._frontaliser(R_d, capture_time_s)
        return turned_view(self._limits(R_u, R_d, self._R_s), motion, self._neck)


def neck_of(model: Model) -> Point | None:
    """The point about which this model's heads turn; None where t_z is no log-scale and x_c no shape of known unit."""
    return NECK if isinstance(model.config, ModelConfig) else None


def turned_view(R_u: Tensor, motion: HeadMotion, neck: Point | None = NECK) -> View:
    """The view (R_u, t_u) of a head under `motion` (batch 1) that leaves its neck where it is.

    A turn alone would be about the middle of the face, and throw the head about on its shoulders. With the neck p in
    the head's own axes, t_u = exp(t_z) (R_d p - R_u R_d p) in x and y; None leaves t_u at 0.
    """
    yaw_deg, pitch_deg, roll_deg = (angle.float().reshape(1).to(motion.t.device) for angle in euler_angles_deg(R_u))
    shift = torch.zeros(1, 3, device=motion.t.device)
    if neck is not None:
        R_d = _rotation(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        moved = (R_d - R_u @ R_d) @ torch.tensor(neck, dtype=torch.float64)
        shift[0, :2] = moved[:2].float().to(shift) * motion.t[0, 2].exp()
    return View(yaw_deg, pitch_deg, roll_deg, shift)


def _rotation(yaw_deg: Tensor | float, pitch_deg: Tensor | float, roll_deg: Tensor | float) -> Tensor:
    return rotation_matrix(
        *(torch.tensor(float(angle), dtype=torch.float64) for angle in (yaw_deg, pitch_deg, roll_deg))
    )


def load_limits(model: Model) -> ViewLimits:
    """The limits measured for these weights (`facewire fit-view`); cautious ones where there are none, or for others.

    Raises WeightsError for a file that cannot be read.
    """
    path = model.folder / LIMITS_FILE if model.folder else None
    if path is None or not path.is_file():
        return CAUTIOUS
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored["weights"] != model.manifest["weights"]["sha256"]:
            return CAUTIOUS
        ranges = (stored["limits"][name] for name in ("yaw_deg", "pitch_deg", "roll_deg"))
        return ViewLimits(*((float(low), float(high)) for low, high in ranges))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: expected limits as `facewire fit-view` writes them, got others: {error}") from None


def save_limits(model: Model, limits: ViewLimits, measured: dict[str, Any]) -> Path:
    """Write limits beside the weights, with what they were taken from; returns the path. Raises WeightsError."""
    if model.folder is None:
        raise WeightsError("expected a model that was loaded from a folder, got one made in memory")
    path = model.folder / LIMITS_FILE
    content = {"weights": model.manifest["weights"]["sha256"], "limits": asdict(limits), "measured": measured}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
