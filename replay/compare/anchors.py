"""Ordinary codecs and what they are told: one I frame and then P alone, no scene cuts, nothing looked at twice.

Settings and quality steps are those of the anchors that facewire was designed against, whose figures come out again:
constant quality, one thread, the clip's own rate. x264 `medium` looks ahead, its best case; `veryfast zerolatency` is
what a call can use. "Half size": scaled down 2x by area, up again by Lanczos, at the receiver.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Anchor:
    """A codec with its settings. steps: values of `crf`, best picture first; shrink: sides are divided by it first."""

    name: str
    encoder: str
    decoder: str
    steps: tuple[int, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    shrink: int = 1

    def options_at(self, crf: float) -> dict[str, str]:
        """Everything that the encoder is told at a quality."""
        return {**self.options, "crf": f"{crf:g}"}

    def words(self) -> str:
        """The settings as one line, for the report."""
        told = " ".join(f"{key}={value}" for key, value in self.options.items())
        scaled = f"; scaled down {self.shrink}x (area), up again (Lanczos)" if self.shrink > 1 else ""
        return f"{self.encoder} {told} crf={'|'.join(map(str, self.steps))}, yuv420p, 1 thread{scaled}"


_X264 = {"g": "9999", "bf": "0", "sc_threshold": "0"}
_X265 = "keyint=-1:bframes=0:scenecut=0:info=0:pools=none:frame-threads=1:log-level=none"

MEDIUM: Final = Anchor("x264 medium", "libx264", "h264", tuple(range(24, 52, 3)), {"preset": "medium", **_X264})
ANCHORS: Final = (
    MEDIUM,
    Anchor("x264 medium, half size", "libx264", "h264", (24, 32, 40, 48), {"preset": "medium", **_X264}, shrink=2),
    Anchor(
        "x264 veryfast zerolatency",
        "libx264",
        "h264",
        (30, 36, 42, 45, 48, 51),
        {"preset": "veryfast", "tune": "zerolatency", **_X264},
    ),
    Anchor("x265 medium", "libx265", "hevc", (28, 36, 44, 51), {"preset": "medium", "x265-params": _X265}),
    Anchor(
        "VP9 realtime",
        "libvpx-vp9",
        "vp9",
        (32, 44, 56, 63),
        {"deadline": "realtime", "cpu-used": "5", "lag-in-frames": "0", "b": "0", "g": "9999", "auto-alt-ref": "0"},
    ),
    Anchor(
        "AV1 SVT low delay",
        "libsvtav1",
        "libdav1d",
        (32, 42, 50, 57, 63),
        {"preset": "8", "g": "9999", "svtav1-params": "pred-struct=1:lookahead=0:scd=0:lp=1"},
    ),
)
"""Most wanted first: a run that is stopped has these."""
BY_NAME: Final = {anchor.name: anchor for anchor in ANCHORS}
