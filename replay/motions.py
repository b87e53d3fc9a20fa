"""Where motion to replay comes from: a recorded call, a clip, or one picture."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from codec.motion import Motion
from codec.recording import RecordingReader
from models.face_finder_weights import load_finder
from models.weights import Model
from replay.errors import ClipError, ModelMismatch
from sender.camera import Clip, Image
from sender.crop import Cropper
from sender.crop_square import cut, find_square
from sender.crop_watch import FaceWatch
from sender.extract import Extractor
from sender.settings import SendSettings
from sender.source import LARGE_FROM, find_source


def open_recording(path: Path, model: Model) -> RecordingReader:
    """Open a recording made with this model. Raises RecordingError, ModelMismatch."""
    reader = RecordingReader(path)
    if reader.header.model_id != model.model_id:
        raise ModelMismatch(
            f"{path}: expected a recording made with model {model.model_id[:12]}, which is at hand, got one made with "
            f"{reader.header.model_id[:12]}: name its weights with --weights"
        )
    return reader


def read_picture(path: Path) -> Image:
    """Read a still picture, RGB [H,W,3]. Raises ClipError."""
    if not path.is_file():
        raise ClipError(f"{path}: expected a picture, found no such file")
    return decode_picture(path.read_bytes(), str(path))


def decode_picture(content: bytes, name: str) -> Image:
    """Decode JPEG, PNG or WebP to RGB [H,W,3]. Raises ClipError, with `name` in it."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if bgr is None:
        raise ClipError(f"{name}: expected a picture (JPEG, PNG, WebP), got something else")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def crop_face(image: Image, name: str, model: Model, extractor: Extractor, settings: SendSettings) -> Image:
    """Cut the square around the face out of a picture: [S,S,3], twice that where it has the detail.

    Raises ClipError where there is no face.
    """
    size, find = model.config.size, load_finder(model.folder).find
    square, score = find_square(image, size, settings.face_threshold, find, extractor.face_score)
    if square is None:
        raise ClipError(f"{name}: expected a picture of a face, found none (best score {score:.2f} of 1)")
    return cut(image, square, 2 * size if square.side >= LARGE_FROM * size else size)


def open_clip(path: Path, model: Model, extractor: Extractor, settings: SendSettings) -> tuple[Clip, Cropper]:
    """Open a clip and choose its crop, which follows the face, as `facewire send` does. Raises InputError, NoFace."""
    finder, size = load_finder(model.folder), model.config.size
    with closing(Clip(path)) as clip:
        threshold, search_s = settings.face_threshold, settings.search_s
        quality = 1  # of the source picture, which is not wanted here
        source = find_source(clip, str(path), size, threshold, search_s, finder.find, extractor.face_score, quality)
    return Clip(path), Cropper(source.square, size, FaceWatch(finder.find, threshold))


def clip_motions(clip: Clip, cropper: Cropper, extractor: Extractor, threshold: float) -> Iterator[Motion]:
    """Motion of each frame of a clip whose face score is at least `threshold`. Raises InputError for a damaged clip.

    As in a call, the first such frame is the source picture against which the motion is told.
    """
    begun = False
    while (frame := clip.read()) is not None:
        crop = cropper.crop(frame)
        if not begun:
            extractor.set_source(crop)
        extracted = extractor.extract_now(crop, frame.capture_time_s)
        if extracted.face_score >= threshold:
            begun = True
            yield extracted.motion
