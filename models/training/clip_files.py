"""Clips and stills on disk: which files are clips, whose they are, their frames in and cropped pictures out."""

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

import av
import av.error
import cv2
import numpy as np

from models.training.errors import ClipRejected, PrepareError
from models.training.landmarker import Picture
from models.training.layouts import Place, recognise

VIDEO_ENDINGS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg"})
STILL_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
CRF = 14  # close to lossless for the eye; training must not learn another encoder's blocks

Kind = Literal["video", "still"]


class Source(NamedTuple):
    """One input file: its name (file name without ending), set, person and kind."""

    path: Path
    name: str
    split: str
    identity: str
    kind: Kind


def find_sources(roots: list[Path], split: str | None = None) -> list[Source]:
    """All clips and stills in the given files and folders, sorted; the set is the name of the folder they lie in.

    VoxCeleb2 and TalkingHead-1KH are known by their folders (`layouts.py`). Else the person comes from a MANIFEST.csv
    (columns file, identity) in the clip's folder or up to two above it, else from the file name before its last "_".
    Raises `PrepareError` when a path does not exist, nothing is found, or two clips would get the same name.
    """
    paths: set[Path] = set()
    for root in roots:
        if not root.exists():
            raise PrepareError(f"expected clips at {root}, but there is no such file or folder")
        paths.update(path for path in ([root] if root.is_file() else root.rglob("*")) if _kind(path))
    if not paths:
        raise PrepareError(f"expected video clips or pictures in {', '.join(map(str, roots))}, found none")
    manifests: dict[Path, dict[Path, str]] = {}
    sources: dict[tuple[str, str], Source] = {}
    for path in sorted(paths):
        kind = _kind(path)
        assert kind is not None
        place = recognise(path.resolve())
        if place is None:
            place = Place(path.resolve().parent.name, path.stem, _identity(path, manifests))
        source = Source(path, place.name, split or place.split, place.identity, kind)
        twin = sources.setdefault((source.split, source.name), source)
        if twin is not source:
            raise PrepareError(f"expected different names in the set {source.split}, got {twin.path} and {path}")
    return list(sources.values())


def read_frames(path: Path) -> Iterator[Picture]:
    """All frames of a video, uint8 RGB [H,W,3], turned as the file says. Raises `ClipRejected` if it cannot be read."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ClipRejected("no video in this file")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for frame in container.decode(stream):
                picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                quarter_turns = round(frame.rotation / 90) % 4
                yield np.ascontiguousarray(np.rot90(picture, quarter_turns)) if quarter_turns else picture
    except (av.error.FFmpegError, OSError) as error:
        raise ClipRejected(f"not a readable video: {error.strerror or error}") from None


def read_fps(path: Path) -> float:
    """Mean frame rate of a video in frames per second; 25 where the file does not say."""
    try:
        with av.open(str(path)) as container:
            rate = container.streams.video[0].average_rate if container.streams.video else None
    except (av.error.FFmpegError, OSError) as error:
        raise ClipRejected(f"not a readable video: {error.strerror or error}") from None
    return float(rate) if rate else 25.0


def read_still(path: Path) -> Picture:
    """A picture, uint8 RGB [H,W,3]. Raises `ClipRejected` if it cannot be read."""
    bgr = cv2.imdecode(np.frombuffer(path.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ClipRejected("not a readable picture")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def write_still(path: Path, picture: Picture) -> None:
    """Write uint8 RGB [H,W,3] as a picture in the format of the path's ending (JPEG at quality 95)."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if path.suffix.lower() in (".jpg", ".jpeg") else []
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality):
        raise OSError(f"could not write {path}")


class VideoWriter:
    """Writes uint8 RGB frames as H.264 in mp4 (crf 14, 4:2:0, no sound, even sides); a context manager."""

    def __init__(self, path: Path, fps: float, width: int, height: int) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": str(CRF), "preset": "medium"}
        self._stream.codec_context.thread_count = 1

    def write(self, picture: Picture) -> None:
        """Append one frame [height,width,3]."""
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def _kind(path: Path) -> Kind | None:
    ending = path.suffix.lower()
    if ending in VIDEO_ENDINGS:
        return "video"
    return "still" if ending in STILL_ENDINGS else None


def _identity(path: Path, manifests: dict[Path, dict[Path, str]]) -> str:
    folder = path.resolve().parent
    for level in (folder, *folder.parents[:2]):
        if level not in manifests:
            manifests[level] = _read_manifest(level)
        if path.resolve() in manifests[level]:
            return manifests[level][path.resolve()]
    return path.stem.rpartition("_")[0] or path.stem


def _read_manifest(folder: Path) -> dict[Path, str]:
    path = folder / "MANIFEST.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return {
            (folder / row["file"]).resolve(): row["identity"] for row in rows if row.get("file") and row.get("identity")
        }
