"""A source picture and motion become a video file."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from codec.motion import Motion
from codec.sound import SoundPacket
from models.weights import Model
from receiver.look import Look
from receiver.motion_path import SAME_S
from receiver.opus import DELAY_S, OpusDecoder, Samples
from receiver.render import FaceRenderer
from receiver.settings import ReceiveSettings
from receiver.show import Image, VideoWriter

Pictures = Sequence[tuple[float, Image]]
"""Source pictures, uint8 RGB [P,P,3], P the model's size or twice that, each with the time from which on it is used."""
T = TypeVar("T")
Sound = tuple[float, Samples]
"""Seconds on the clock of the motion, int16 [n] at 48 kHz."""


def render_video(
    model: Model,
    picture: Image | Pictures,
    motions: Iterable[Motion],
    output: Path,
    frame_rate: float,
    title: str,
    look: Look | None = None,
    sounds: Iterable[Sound] | None = None,
) -> int:
    """Render every motion from its source picture, at its capture time. Returns the number of frames.

    Args: picture: uint8 RGB [P,P,3], P the model's size or twice that; or several. frame_rate: frames a second, 0 where
        unknown. title: what the progress bar says; it is on stderr, and only where that is a terminal. look: from
        where, and how large. sounds: in the order of their times, on the clock of the motion; None: a silent film.
    Raises: OutputError, ViewError. Whatever ends it, also in `motions`, the frames so far are written whole.
    """
    beside = SoundBeside(sounds or ())
    with closing(VideoWriter(output, frame_rate, video_crf(), sound=sounds is not None)) as writer:
        for image, time_s in render_frames(model, picture, show_frames(title)(motions, 0), look):
            beside.hear_until(writer, time_s)
            writer.write(image, time_s)
    return writer.frames


class SoundBeside:
    """Sound that is written as its pictures are: no sooner, and nothing after the last picture."""

    def __init__(self, sounds: Iterable[Sound]) -> None:
        self._sounds = iter(sounds)
        self._next = next(self._sounds, None)

    def hear_until(self, writer: VideoWriter, time_s: float) -> None:
        """Write what begins no later than this. Raises OutputError, and what the sounds raise."""
        while self._next is not None and self._next[0] <= time_s:
            begin_s, samples = self._next
            writer.hear(samples, begin_s)
            self._next = next(self._sounds, None)


def decoded_sounds(packets: Iterable[SoundPacket]) -> Iterator[Sound]:
    """Packets, oldest first, as samples with their times. What is no packet is left out."""
    decoder = OpusDecoder()
    for packet in packets:
        yield packet.time_ms / 1000 - DELAY_S, decoder.decode_or_nothing(packet.opus)


class Shower(Protocol):
    """Passes things through and shows how far it is, of so many (0: as many as it says itself)."""

    def __call__(self, items: Iterable[T], total: int, /) -> Iterable[T]:
        """Begin."""


def show_frames(title: str) -> Shower:
    """A progress bar on stderr, where that is a terminal."""
    console = Console(stderr=True)

    def shown(items: Iterable[T], total: int) -> Iterable[T]:
        quiet = not console.is_terminal
        return track(items, title, total or None, console=console, disable=quiet, transient=True)

    return shown


def render_frames(
    model: Model, picture: Image | Pictures, motions: Iterable[Motion], look: Look | None = None
) -> Iterator[tuple[Image, float]]:
    """Yield each motion's picture [S,S,3] from its source picture, and its capture time in seconds."""
    coming = [(0.0, picture)] if isinstance(picture, np.ndarray) else list(picture)
    with closing(FaceRenderer(model, look=look)) as renderer:
        renderer.set_source_now(coming.pop(0)[1])
        for motion in motions:
            while coming and motion.capture_time_s >= coming[0][0] - SAME_S:
                renderer.set_source_now(coming.pop(0)[1])
            yield renderer.render_now(motion), motion.capture_time_s


def usual_rate(motions: Iterable[Motion]) -> float:
    """Frames a second that capture times tell, by their median distance; 0 for fewer than two frames."""
    steps = np.diff([motion.capture_time_s for motion in motions])
    return float(1 / np.median(steps)) if len(steps) else 0.0


def video_crf() -> int:
    """Quality of the video, as `facewire receive` has it."""
    return int(ReceiveSettings.model_fields["video_crf"].default)
