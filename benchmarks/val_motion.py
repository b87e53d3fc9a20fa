"""The motion that a bitstream has to carry: the clips of a prepared set at 25 fps, as the sender's networks see them.

Extracting takes minutes, coding seconds: what was extracted is kept in a folder by weights and clip. Other codec tables
for the same weights leave it as it is.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from codec.motion import Motion
from models.geometry import HeadMotion, fill_tail
from models.training.dataset_index import read_index
from models.weights import Model
from sender.camera import Clip, Frame, Image
from sender.crop_square import centre_square, cut
from sender.extract import Extractor, to_tensor
from sender.settings import SendSettings
from sender.source import decode_picture, encode_picture

RATE = 25.0
"""Frames a second of every figure about motion: clips of 30 fps are thinned as a slower camera would."""
PX = 256.0
"""Keypoint errors are in pixels of a picture of this side, whatever the model's size."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class ClipMotion:
    """One clip: motions at 25 fps, the source picture uint8 RGB [S,S,3] as the receiver has it (the first frame), and
    canonical keypoints x_c [1,K,3].
    """

    name: str
    motions: tuple[Motion, ...]
    source: Image
    x_c: torch.Tensor

    @property
    def seconds(self) -> float:
        """How long it takes to play."""
        return len(self.motions) / RATE


def read_motions(data: Path, split: str, model: Model, kept: Path, clips: int | None, frames: int) -> list[ClipMotion]:
    """Motion of the first clips of a set (None: all), `frames` of each at most. Raises DataError, InputError."""
    chosen = [clip for clip in read_index(data).of_split(split) if clip.kind == "video"][:clips]
    folder = kept / f"motion-{model.manifest['weights']['sha256'][:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    shown = track(chosen, "motion", console=console, disable=not console.is_terminal, transient=True)
    return [_of_clip(clip.name, data / clip.video, model, folder, frames) for clip in shown]


def thin(frames: Iterable[Frame], rate: float = RATE) -> Iterator[Frame]:
    """What a camera of so many frames a second would give of these: at each of its moments the newest frame, with the
    moment as its time.
    """
    taken, newest = 0, None
    for frame in frames:
        while newest is not None and frame.capture_time_s > taken / rate + 1e-6:
            yield Frame(newest.image, taken / rate)
            taken += 1
        newest = frame
    if newest is not None and newest.capture_time_s >= taken / rate - 1e-6:
        yield Frame(newest.image, taken / rate)


def keypoints_px(model: Model, x_c: torch.Tensor, motions: Sequence[Motion]) -> NDArray[np.float64]:
    """Where motions put the keypoints in a picture of 256 px: [N,K,2]."""
    numbers = torch.from_numpy(np.stack([motion.as_vector() for motion in motions]))
    yaw, pitch, roll = numbers[:, :3].unbind(1)
    head = HeadMotion(yaw, pitch, roll, numbers[:, 3:6], numbers[:, 6:].reshape(len(numbers), -1, 3))
    head = fill_tail(head, model.config.keypoints)
    with torch.inference_mode():
        x = model.networks.place(x_c.expand(len(numbers), -1, -1), head).x
    return np.asarray((x[..., :2].double() + 1) * PX / 2)


def _of_clip(name: str, path: Path, model: Model, folder: Path, frames: int) -> ClipMotion:
    picture, vectors = _kept_or_extracted(name, path, model, folder)
    source = decode_picture(picture)
    motions = tuple(Motion.from_vector(vector, index / RATE) for index, vector in enumerate(vectors[:frames]))
    return ClipMotion(name, motions, source, model.canonical(to_tensor(source)))


def _kept_or_extracted(name: str, path: Path, model: Model, folder: Path) -> tuple[bytes, Vectors]:
    """The source picture's file and motion vectors [N,3K+6] of a prepared clip."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    file = folder / f"{name}-{digest}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as stored:
            return stored["picture"].tobytes(), stored["motion"]
    picture, vectors = _extract(path, model)
    np.savez_compressed(file, picture=np.frombuffer(picture, np.uint8), motion=vectors)
    return picture, vectors


def _extract(path: Path, model: Model) -> tuple[bytes, Vectors]:
    """What a sender would make of a prepared clip, which is a crop already: source picture, motion of every frame."""
    size, picture, vectors = model.config.size, b"", []
    with closing(Clip(path)) as clip, closing(Extractor(model)) as extractor:
        for frame in thin(iter(clip.read, None)):
            crop = cut(frame.image, centre_square(*frame.image.shape[:2]), size)
            if not picture:
                picture = encode_picture(crop, SendSettings.model_fields["source_quality"].default)
                extractor.set_source(decode_picture(picture))
            vectors.append(extractor.extract_now(crop, frame.capture_time_s).motion.as_vector())
    return picture, np.stack(vectors)
