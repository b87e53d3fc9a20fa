"""A recorded call becomes a video again."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from codec.motion import Motion
from models.weights import Model
from receiver.errors import SourceError
from receiver.look import Look
from receiver.show import Image, check_output
from receiver.source import decode_source
from replay.errors import DamagedRecording
from replay.motions import open_recording
from replay.recorded_call import Face, SourceFrom, read_call
from replay.render import Pictures, decoded_sounds, render_video, usual_rate

SIZES: Final = (64, 128, 256, 512)
"""Of models: recordings of one may be shown by another."""
Carry = Callable[[Iterable[Motion]], Iterable[Motion]]


def decompress_recording(
    path: Path,
    output: Path,
    model: Model,
    picture: Image | None = None,
    carry: Carry = iter,
    look: Look | None = None,
) -> int:
    """Render a recording, with its sound if it has any, and return the number of frames.

    Args: picture: RGB [P,P,3] to put the motion on; None is the source picture of the call. carry: what is made of the
        recorded motion first. look: from where, and how large.
    Raises: RecordingError for a file that is none, ModelMismatch for another model's, SourceError, OutputError,
        ViewError, and DamagedRecording after what is good before the damage was written.
    """
    check_output(output)
    call = read_call(open_recording(path, model), model.codec_tables)
    face = call.face(path)
    pictures: Image | Pictures = face_pictures(path, face, model) if picture is None else picture
    rate = usual_rate(face.motions)
    sounds = decoded_sounds(face.sounds) if face.sounds else None
    frames = render_video(model, pictures, carry(face.motions), output, rate, path.name, look, sounds)
    if call.damage is not None:
        raise DamagedRecording(f"{path}: {call.damage}; the {frames} frames before that are in {output}")
    return frames


def face_pictures(path: Path, face: Face, model: Model) -> Pictures:
    """The source pictures of a face, as large as the model's. Raises SourceError; DamagedRecording without any."""
    if not face.sources:
        raise DamagedRecording(f"{path}: expected the source picture that its motion is told against, found none")
    return [(source.from_s, _fitted(source, model.config.size)) for source in face.sources]


def _fitted(source: SourceFrom, size: int) -> Image:
    """A source picture [P,P,3], P = size or twice that; that of another model is scaled to it. Raises SourceError."""
    try:
        return decode_source(source.picture, source.mime, size)
    except SourceError:
        for other in SIZES:
            with suppress(SourceError):
                image = decode_source(source.picture, source.mime, other)
                return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        raise
