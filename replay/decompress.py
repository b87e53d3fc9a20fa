"""A recorded call becomes a video again."""

from collections.abc import Callable, Iterable
from pathlib import Path

from codec.motion import Motion
from models.weights import Model
from receiver.look import Look
from receiver.show import Image, check_output
from receiver.source import decode_source
from replay.errors import DamagedRecording
from replay.motions import open_recording, read_motions
from replay.render import decoded_sounds, render_video, usual_rate

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
    reader = open_recording(path, model)
    if picture is None:
        picture = decode_source(reader.header.source_image, reader.header.source_mime, model.config.size)
    recorded = read_motions(reader, model)
    if not recorded.motions:
        why = recorded.damage or "it ends before the first frame"
        raise DamagedRecording(f"{path}: expected a recorded call with frames in it: {why}")
    rate = usual_rate(recorded.motions)
    sounds = decoded_sounds(recorded.sounds) if recorded.sounds else None
    frames = render_video(model, picture, carry(recorded.motions), output, rate, path.name, look, sounds)
    if recorded.damage is not None:
        raise DamagedRecording(f"{path}: {recorded.damage}; the {frames} frames before that are in {output}")
    return frames
