"""What of the engine a connection needs."""

from typing import Protocol

from call.fitting import Fitting
from call.front import Front
from call.mirror import Mirror
from call.own_source import OwnSource
from call.screen import Screen
from call.states import State
from call.taping import Taping
from call.watching import Watching
from models.weights import Model
from receiver.source import SourceCache


class Around(Protocol):
    """The engine, as its connections see it."""

    front: Front
    screen: Screen
    watching: Watching
    fitting: Fitting
    mirror: Mirror
    taping: Taping
    model: Model
    cache: SourceCache | None
    picture_px: int
    muted: bool
    camera_on: bool
    frame_rate: float
    max_kbps: float

    @property
    def own_source(self) -> OwnSource | None:
        """The picture of oneself that may be sent."""

    def now(self) -> float:
        """Seconds of the engine's clock."""

    def report(self, state: State, reason: str) -> None:
        """Take the state of the call."""
