"""Prepared clips in memory, batches of pairs, and augmentation that moves pictures and keypoints alike."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Generator, Tensor

from models.geometry import HeadMotion, rotation_matrix
from models.keypoints import LANDMARKS, flip_points
from models.precision import full_precision
from models.training import dataset_index
from models.training.dataset_index import read_index, read_track
from models.training.equivariance import PlaneWarp
from models.training.errors import DataError
from models.training.mean_face import mirror_points

_MIRROR_LANDMARKS = tuple(mirror_points().tolist())


class Batch(NamedTuple):
    """Pictures with what is known of them.

    image [B,3,S,S] in [0,1]; x_c [B,K,3] the person's neutral keypoints; landmarks [B,478,3] in crop units;
    motion the pose and deformation that place x_c at x; bent [B] which pictures were bent, background and all (None:
    none was).
    """

    image: Tensor
    x_c: Tensor
    landmarks: Tensor
    motion: HeadMotion
    bent: Tensor | None = None

    @property
    def x(self) -> Tensor:
        """The landmarks that are keypoints [B,K,3]."""
        return self.landmarks[:, list(LANDMARKS)]

    def __getitem__(self, index: slice | Tensor) -> "Batch":  # type: ignore[override]
        motion = HeadMotion(*(part[index] for part in self.motion))
        return Batch(self.image[index], self.x_c[index], self.landmarks[index], motion)


@dataclass(frozen=True)
class Clip:
    """One prepared clip: frames uint8 [N,3,S,S] RGB, landmarks f16 [N,478,3], x_c [K,3], pose [N,6] (angles, t)."""

    name: str
    identity: str
    kind: str
    static_camera: bool
    fps: float
    frames: Tensor
    landmarks: Tensor
    x_c: Tensor
    pose: Tensor


def load_clips(
    folder: Path, splits: Sequence[str], size: int, max_fps: float = 15.0, kinds: Sequence[str] = ("video", "still")
) -> list[Clip]:
    """Decode the clips of `splits` at size x size into memory, at most `max_fps` frames a second of each."""
    return [load_clip(folder, entry, size, max_fps) for entry in choose_entries(folder, splits, kinds)]


def choose_entries(folder: Path, splits: Sequence[str], kinds: Sequence[str]) -> list[dataset_index.Clip]:
    """The clips of `splits` that are of one of the `kinds`. Raises DataError when there are none."""
    chosen = [entry for entry in read_index(folder).clips if entry.split in splits and entry.kind in kinds]
    if not chosen:
        raise DataError(f"{folder}: expected clips of {'/'.join(splits)}, found none")
    return chosen


def load_clip(folder: Path, entry: dataset_index.Clip, size: int, max_fps: float) -> Clip:
    """One clip with its frames, at most `max_fps` a second, those in which a face was found. Raises DataError."""
    clip, keep = _load_motion(folder, entry, size, max_fps)
    frames = read_frames(folder / entry.video, size, set(keep.tolist()))
    if len(frames) != len(keep):
        raise DataError(f"{entry.video}: expected {entry.frames} frames as in its landmarks, found fewer")
    return replace(clip, frames=torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous())


def load_motion(folder: Path, entry: dataset_index.Clip, size: int, max_fps: float) -> Clip:
    """The same without frames [0,3,S,S]: landmarks, pose and shape alone. Raises DataError."""
    return _load_motion(folder, entry, size, max_fps)[0]


def _load_motion(folder: Path, entry: dataset_index.Clip, size: int, max_fps: float) -> tuple[Clip, NDArray[np.int64]]:
    """A clip without frames, and the numbers of those that belong to it."""
    track = read_track(folder, entry)
    stride = max(1, round(entry.fps / max_fps))
    keep = np.arange(0, entry.frames, stride)
    keep = keep[track.detected[keep]]
    pose = np.column_stack((track.yaw_deg, track.pitch_deg, track.roll_deg, track.t, track.log_scale))
    clip = Clip(
        name=entry.name,
        identity=entry.identity,
        kind=entry.kind,
        static_camera=entry.static_camera,
        fps=entry.fps / stride,
        frames=torch.empty(0, 3, size, size, dtype=torch.uint8),
        landmarks=torch.from_numpy(track.landmarks[keep]).half(),
        x_c=torch.from_numpy(track.neutral[list(LANDMARKS)]).float(),
        pose=torch.from_numpy(pose[keep]).float(),
    )
    return clip, keep


def read_frames(path: Path, size: int, keep: set[int] | None = None) -> list[np.ndarray]:
    """Frames of a clip or picture as uint8 RGB [size,size,3], by OpenCV; only those in `keep` when given."""
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        picture = cv2.imread(str(path))
        if picture is None:
            raise DataError(f"{path}: expected a picture, got something OpenCV cannot read")
        return [_to_rgb(picture, size)]
    capture = cv2.VideoCapture(str(path))
    frames: list[np.ndarray] = []
    number = 0
    while capture.grab():
        if keep is None or number in keep:
            ok, picture = capture.retrieve()
            if ok:
                frames.append(_to_rgb(picture, size))
        number += 1
    capture.release()
    if not frames:
        raise DataError(f"{path}: expected a video, got something OpenCV cannot read")
    return frames


def _to_rgb(picture: np.ndarray, size: int) -> np.ndarray:
    if picture.shape[:2] != (size, size):
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


class Frames(Protocol):
    """Frames by number: a tensor [N,3,S,S], or what reads them from disk (`shards.py`)."""

    def __getitem__(self, frames: Tensor, /) -> Tensor:
        """uint8 [B,3,S,S] of the frames [B]."""


class Store:
    """All frames of many clips, flat, on one device; clip i holds frames start[i] to start[i] + count[i].

    `frames` holds them when the clips do not.
    """

    def __init__(self, clips: Sequence[Clip], device: torch.device, frames: Frames | None = None) -> None:
        self.names = [clip.name for clip in clips]
        self.device = device
        counts = [len(clip.landmarks) for clip in clips]
        self.frames: Frames = torch.cat([clip.frames for clip in clips]).to(device) if frames is None else frames
        self.landmarks = torch.cat([clip.landmarks for clip in clips]).to(device)
        self.x_c = torch.stack([clip.x_c for clip in clips]).to(device)
        self.pose = torch.cat([clip.pose for clip in clips]).to(device)
        self.count = torch.tensor(counts)
        self.start = torch.cumsum(self.count, 0) - self.count
        self.is_still = torch.tensor([clip.kind == "still" for clip in clips])
        identities = [clip.identity for clip in clips]
        # a person with many clips is not seen more often than one with a single clip (square root: but a little)
        clips_of = Counter(identities)
        weight = [count**0.5 / clips_of[identity] ** 0.5 for count, identity in zip(counts, identities, strict=True)]
        self.weight = torch.tensor(weight)

    def draw_clips(self, number: int, generator: Generator, stills: float = 0.0) -> Tensor:
        """Clip indices [number]; a share `stills` of them are stills, where there are any."""
        groups = []
        still_count = round(number * stills) if bool(self.is_still.any()) else 0
        for wanted, chosen in ((number - still_count, ~self.is_still), (still_count, self.is_still)):
            if wanted:
                weight = self.weight * chosen
                groups.append(torch.multinomial(weight, wanted, replacement=True, generator=generator))
        return torch.cat(groups)

    def draw_frames(self, clips: Tensor, generator: Generator) -> Tensor:
        """One frame index a clip, uniform over the clip."""
        return self.start[clips] + (torch.rand(len(clips), generator=generator) * self.count[clips]).long()

    def clip_of(self, frames: Tensor) -> Tensor:
        """Which clip each of the frames [B] belongs to."""
        return torch.searchsorted(self.start, frames, right=True) - 1

    def batch(self, clips: Tensor, frames: Tensor) -> Batch:
        """The frames as they are: image [B,3,S,S] in [0,1] and their keypoints."""
        clips, frames = clips.to(self.device), frames.to(self.device)
        image = self.frames[frames].to(self.device).float() / 255.0
        pose, x_c = self.pose[frames], self.x_c[clips]
        motion = HeadMotion(pose[:, 0], pose[:, 1], pose[:, 2], pose[:, 3:6], torch.zeros_like(x_c))
        return with_delta(Batch(image, x_c, self.landmarks[frames].float(), motion))


@full_precision
def with_delta(batch: Batch) -> Batch:
    """Fill in delta, what pose and neutral shape leave over: exp(-t_z) (x - t) - R x_c."""
    motion = batch.motion
    R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
    shift = torch.cat((motion.t[:, :2], torch.zeros_like(motion.t[:, :1])), 1)
    delta = (batch.x - shift[:, None]) * (-motion.t[:, 2]).exp()[:, None, None] - batch.x_c @ R.mT
    return batch._replace(motion=motion._replace(delta=delta))


def expressive_weight(store: Store) -> Tensor:
    """How rarely [N frames] a clip's mouth and lids are as open as here: distance to the clip's median, robustly."""
    p = store.landmarks[..., :2].float().cpu()
    height = (p[:, 10] - p[:, 152]).norm(dim=-1)
    mouth = (p[:, 13] - p[:, 14]).norm(dim=-1) / height
    lids = ((p[:, 159] - p[:, 145]).norm(dim=-1) + (p[:, 386] - p[:, 374]).norm(dim=-1)) / height
    weight = torch.zeros(len(p))
    for start, count in zip(store.start.tolist(), store.count.tolist(), strict=True):
        frames = slice(start, start + count)
        for opening in (mouth[frames], 2.0 * lids[frames]):
            weight[frames] += (opening - opening.median()).abs()
        weight[frames] /= count**0.5  # as in `Store.weight`: long clips count, but not in full
    return weight + 1e-6


class Change(NamedTuple):
    """What augmentation does to B pictures: flip [B] bool, then p -> scale Rot(roll) p + shift; colour gain, offset."""

    flip: Tensor
    roll_deg: Tensor
    log_scale: Tensor
    shift: Tensor
    gain: Tensor
    offset: Tensor

    def repeat(self, times: int) -> "Change":
        return Change(*(part.repeat_interleave(times, 0) for part in self))


def draw_change(
    number: int,
    generator: Generator,
    *,
    roll_deg: float,
    log_scale: float,
    shift: float,
    colour: float,
    device: torch.device,
) -> Change:
    """Random changes: each range is the half width, drawn uniformly (roll and shift), colours by channel."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) * 2.0 - 1.0

    return Change(
        torch.rand(number, generator=generator).lt(0.5).to(device),
        (uniform(number) * roll_deg).to(device),
        (uniform(number) * log_scale).to(device),
        (uniform(number, 2) * shift).to(device),
        (1.0 + uniform(number, 3) * colour + uniform(number, 1) * colour).to(device),
        (uniform(number, 1) * colour * 0.5).to(device),
    )


@full_precision
def augment(batch: Batch, change: Change, size: int) -> Batch:
    """Apply a change to pictures and keypoints alike; pictures come out at size x size, edges replicated."""
    motion = batch.motion
    sign = torch.where(change.flip, -1.0, 1.0)
    x = flip_points(batch.landmarks, change.flip, _MIRROR_LANDMARKS)
    x_c = flip_points(batch.x_c, change.flip)
    x = place_points(x, change)
    t = place_points(torch.stack((motion.t[:, 0] * sign, motion.t[:, 1]), 1)[:, None], change)[:, 0]
    t = torch.cat((t, (motion.t[:, 2] + change.log_scale)[:, None]), 1)
    moved = HeadMotion(
        motion.yaw_deg * sign, motion.pitch_deg, motion.roll_deg * sign + change.roll_deg, t, motion.delta
    )
    image = warp_image(batch.image, change, size)
    image = (image * change.gain[:, :, None, None] + change.offset[:, :, None, None]).clamp(0.0, 1.0)
    return with_delta(Batch(image, x_c, x, moved))


@full_precision
def place_points(points: Tensor, change: Change) -> Tensor:
    """Turn, scale and shift points [B,N,2 or 3] (mirrored already) as a change does; depth is scaled alike."""
    turn = rotation_matrix(torch.zeros_like(change.roll_deg), torch.zeros_like(change.roll_deg), change.roll_deg)
    dimensions = points.shape[-1]
    shift = torch.cat((change.shift, torch.zeros_like(change.shift[:, :1])), 1)[:, None, :dimensions]
    turned = points @ turn[:, :dimensions, :dimensions].mT
    return change.log_scale.exp()[:, None, None] * turned + shift


@full_precision
def unwarp_points(warp: PlaneWarp, p: Tensor, steps: int = 4) -> Tensor:
    """Where the points p [B,N,2] of a picture lie in `warp.image` of it: q with T(q) = p, by Newton's method."""
    q = p
    for _ in range(steps):
        q = q - torch.linalg.solve(warp.jacobian(q), (warp.points(q) - p)[..., None])[..., 0]
    return q


@full_precision
def warp_image(image: Tensor, change: Change, size: int) -> Tensor:
    """The geometric part of a change on pictures [B,3,S,S] -> [B,3,size,size]."""
    sign = torch.where(change.flip, -1.0, 1.0)
    roll_rad = torch.deg2rad(change.roll_deg)
    c, s = roll_rad.cos(), roll_rad.sin()
    turn_back = torch.stack((torch.stack((c, s), -1), torch.stack((-s, c), -1)), -2)  # Rot(-roll)
    turn_back = turn_back * (-change.log_scale).exp()[:, None, None]
    mirror = torch.stack((sign, torch.ones_like(sign)), -1)[:, :, None]
    linear = mirror * turn_back  # p_in = F Rot(-roll) (p_out - shift) / scale
    offset = -(linear @ change.shift[:, :, None])
    theta = torch.cat((linear, offset), 2)
    grid = functional.affine_grid(theta, [len(image), 3, size, size], align_corners=False)
    return functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
