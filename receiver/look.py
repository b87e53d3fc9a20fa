"""How the receiver wants to see the other side: from where, and how large. Read before torch is loaded."""

from dataclasses import dataclass
from typing import Annotated

import typer

from receiver.errors import ViewError

MOST_DEG = 90.0
Turn = tuple[float, float, float]

ViewOption = Annotated[
    str | None,
    typer.Option(metavar="YAW,PITCH[,ROLL]", help="Turn the head by so many degrees: right, up, clockwise."),
]
FrontaliseOption = Annotated[bool | None, typer.Option("--frontalise", help="Turn the face to the viewer.")]
SizeOption = Annotated[
    int | None, typer.Option(help="Side of the picture in px: the model's own, 256, or 512. Default: 256.")
]


@dataclass(frozen=True)
class Look:
    """view_deg: yaw, pitch, roll to turn the head by, within the model's limits; frontalise: first turn the face to the
    viewer; size: side of the picture in px, None for the model's own.
    """

    view_deg: Turn = (0.0, 0.0, 0.0)
    frontalise: bool = False
    size: int | None = None

    @property
    def free(self) -> bool:
        """Whether it asks for another view than the head's own."""
        return self.frontalise or any(self.view_deg)


def read_look(view: str | None = None, frontalise: bool | None = None, size: int | None = None) -> Look:
    """Read the options of a command. Raises ViewError."""
    return Look(read_view(view) if view else (0.0, 0.0, 0.0), bool(frontalise), size)


def read_view(words: str) -> Turn:
    """Read "YAW,PITCH" or "YAW,PITCH,ROLL". Raises ViewError."""
    try:
        angles = [float(word) for word in words.split(",")]
    except ValueError:
        angles = []
    if len(angles) not in (2, 3) or not all(abs(angle) <= MOST_DEG for angle in angles):
        raise ViewError(
            f"--view: expected YAW,PITCH or YAW,PITCH,ROLL in degrees, {-MOST_DEG:g} to {MOST_DEG:g}, got {words!r}"
        )
    return angles[0], angles[1], angles[2] if len(angles) == 3 else 0.0
