"""Settings of `facewire send`, read once when it starts."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from signaling.settings import DEFAULT_SERVER


class SendSettings(BaseSettings):
    """Every setting of `facewire send`; FACEWIRE_SERVER and so on in the environment, flags win."""

    model_config = SettingsConfigDict(env_prefix="FACEWIRE_", frozen=True)

    server: str = DEFAULT_SERVER
    """Where the signaling server is, ws:// or wss://."""
    wait_s: Annotated[float, Field(gt=0)] = 60.0
    """Seconds to wait for a receiver in the room."""
    weights: Path | None = None
    """Folder or manifest of the model; None is the shipped one."""
    runtime: Literal["auto", "torch"] = "auto"
    """How the networks run: the quickest way that was measured on this machine, or plain torch."""
    torch_threads: Annotated[int, Field(ge=1)] = 1
    """Threads of one network operation. Extraction is small: more threads gain little, and where other programs keep
    the cores busy they wait for each other (50 times slower was seen)."""
    face_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Face score from which a crop is taken to hold a face."""
    search_s: Annotated[float, Field(gt=0)] = 1.0
    """Seconds of a clip in which a face must be found."""
    camera_search_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a person has to come before a camera."""
    profile: Literal["predictive", "paper"] = "predictive"
    """How motion is coded (codec/FORMAT.md)."""
    level: Literal["high", "medium", "low"] = "high"
    """The finest motion that is sent: 0.25, 0.5 or 1 px of keypoint error at 256 px; rate control may send coarser."""
    max_kbps: Annotated[float, Field(gt=0)] = 30.0
    """Of our direction, headers of IP included."""
    message_interval_ms: Annotated[float, Field(ge=0, le=1000)] | None = None
    """Frames captured within this time travel in one message; 0 sends each by itself. Rate control then chooses repeats
    alone; None: everything."""
    usual_interval_ms: ClassVar[float] = 60.0
    """For what is not sent over a link."""
    sound: bool = True
    """Whether a clip's sound is sent with it; a camera has none."""
    steady: bool = True
    """Whether the tremble of the measured keypoints and pose is taken out before motion is sent."""
    capture_queue_frames: Annotated[int, Field(ge=1)] = 4
    """Captured frames that wait for the networks before the oldest is dropped."""
    source_quality: Annotated[int, Field(ge=1, le=100)] = 90
    """WebP quality of the source picture."""
