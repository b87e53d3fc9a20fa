"""Settings of `facewire receive`, read once when it starts."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from receiver.look import Look, read_look
from signaling.settings import DEFAULT_SERVER


def half_the_cores() -> int:
    """Return half the number of cores, at least 1."""
    return max(1, (os.cpu_count() or 2) // 2)


class ReceiveSettings(BaseSettings):
    """Every setting of `facewire receive`; FACEWIRE_SERVER and so on in the environment, flags win."""

    model_config = SettingsConfigDict(env_prefix="FACEWIRE_", frozen=True)

    server: str = DEFAULT_SERVER
    """Where the signaling server is, ws:// or wss://."""
    wait_s: Annotated[float, Field(gt=0)] = 60.0
    """Seconds to wait for a sender in the room."""
    weights: Path | None = None
    """Folder or manifest of the model; None is the shipped one."""
    runtime: Literal["auto", "torch"] = "auto"
    """How the networks run: the quickest way that was measured on this machine, or plain torch."""
    torch_threads: Annotated[int, Field(ge=1, default_factory=half_the_cores)]
    """Threads of one network operation; half the cores, because threads that find no free core hold up all others."""
    reorder_hold_ms: Annotated[float, Field(ge=0, le=2000)] = 200.0
    """How long frames wait for a message that was overtaken, before it is taken for lost."""
    inbox_messages: Annotated[int, Field(ge=8)] = 512
    """Messages that wait to be decoded before the oldest is dropped: 30 s at one each 60 ms."""
    render_queue_frames: Annotated[int, Field(ge=1)] = 9000
    """Decoded frames that wait to be rendered before the oldest is dropped: 5 minutes at 30 fps, 3 MB. A file may be
    written after the call, so a slow machine shows every frame of a short clip; a screen would take a short queue."""
    live: bool = False
    """Whether the output holds what a screen would have shown during the call, late or held, at the screen's times."""
    show_fps: Annotated[float | None, Field(ge=1, le=240)] = None
    """Pictures a second, with motion interpolated between frames; None is as they were sent in a file, 30 if live."""
    view: str | None = None
    """YAW,PITCH or YAW,PITCH,ROLL in degrees to turn the head by, within the model's limits; None: not at all."""
    frontalise: bool = False
    """Whether the face is turned to the viewer."""
    size: int | None = None
    """Side of the picture in px; None is the model's own, twice that asks the sender for a larger source picture."""
    video_crf: Annotated[int, Field(ge=0, le=51)] = 14
    """x264's quality of the output, smaller is better."""
    source_cache: Path | None = None
    """Folder in which source pictures are kept, so that a second call need not send them; None keeps none."""
    source_cache_files: Annotated[int, Field(ge=1)] = 64
    """Pictures kept there; the one used longest ago goes first."""

    @property
    def look(self) -> Look:
        """View and size together. Raises ViewError."""
        return read_look(self.view, self.frontalise, self.size)
