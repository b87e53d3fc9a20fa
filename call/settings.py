"""Settings of `facewire call`, read once when it starts."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def usual_cache() -> Path:
    """Where the other side's pictures are kept from call to call."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / "facewire" / "sources"


def usual_recordings() -> Path:
    """Where the button in the page records to."""
    configured = os.environ.get("XDG_DATA_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".local" / "share"
    return base / "facewire" / "recordings"


class CallSettings(BaseSettings):
    """Every setting of `facewire call`; FACEWIRE_SERVER and so on in the environment, flags win."""

    model_config = SettingsConfigDict(env_prefix="FACEWIRE_", frozen=True)

    server: str | None = None
    """A signaling server, ws:// or wss://; None hosts one for this machine's network."""
    weights: Path | None = None
    """Folder or manifest of the model; None is the shipped one."""
    runtime: Literal["auto", "torch"] = "auto"
    """How the networks run: the quickest way that was measured on this machine, or plain torch."""
    torch_threads: Annotated[int, Field(ge=1)] = 1
    """Threads of one network operation; both halves of a call run beside each other."""
    face_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Face score from which a crop is taken to hold a face."""
    source_quality: Annotated[int, Field(ge=1, le=100)] = 90
    """WebP quality of the source picture."""
    frame_rate: Annotated[float, Field(gt=0, le=120)] = 30.0
    """Frames a second that the camera gives."""
    show_rate: Annotated[float, Field(gt=0, le=120)] = 30.0
    """Pictures a second that are rendered at most."""
    max_kbps: Annotated[float, Field(gt=0)] = 30.0
    """What one direction may take on the wire; packets lost make it send sound again, and a little more."""
    size: int | None = None
    """Side of the picture in px; None is the model's own."""
    keep_fresh: bool = False
    """Whether a new picture of oneself may be taken and sent unasked where the old one no longer fits. Without a
    page it may; a page has a switch for it."""
    source_cache: Annotated[Path | None, Field(default_factory=usual_cache)]
    """Folder in which the other side's pictures are kept, so that a second call need not send them."""
    source_cache_files: Annotated[int, Field(ge=1)] = 64
    """Pictures kept there; the one used longest ago goes first."""
    recordings: Path | None = None
    """Folder of the calls that are recorded by the button in the page; None is that of the user's data."""
    away_s: Annotated[float, Field(gt=0)] = 30.0
    """Seconds to wait for the other side to come back before the call ends."""
    give_up_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds to go on trying to connect again while the other side is there, too."""
    wait_s: Annotated[float, Field(gt=0)] = 3600.0
    """Seconds to wait for somebody to come."""
    page_gone_s: Annotated[float, Field(ge=0)] = 3.0
    """Seconds without a page before the call ends; loading it again takes less."""
