"""The motion of one person on the picture of another."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from codec.motion import Motion
from models.weights import Model
from receiver.look import Look
from receiver.show import check_output
from replay.decompress import decompress_recording
from replay.errors import ClipError
from replay.motions import clip_motions, crop_face, open_clip, read_picture
from replay.render import render_video
from replay.retarget import Retarget
from sender.clip_sound import clip_sound, has_sound
from sender.extract import Extractor
from sender.settings import SendSettings
from signaling.settings import read_settings


def animate_picture(
    portrait: Path, driver: Path, output: Path, model: Model, *, relative: bool, look: Look | None = None
) -> int:
    """Animate a picture with a clip or recording, and its sound, and return the number of frames.

    Raises ClipError for a portrait that cannot be used or a driver without a frame, InputError, NoFace, RecordingError,
    ModelMismatch, OutputError, and DamagedRecording after what is good before the damage was written.
    """
    check_output(output)
    settings = read_settings(SendSettings)  # the driver's face is looked for as in a call
    with closing(Extractor(model)) as extractor:
        picture = crop_face(read_picture(portrait), str(portrait), model, extractor, settings)
        extractor.set_source(picture)
        own = extractor.extract_now(picture, 0.0).motion if relative else None
        if driver.suffix.lower() == ".fwr":
            return decompress_recording(driver, output, model, picture, partial(carry_over, own), look)
        clip, cropper = open_clip(driver, model, extractor, settings)
        with closing(clip):
            motions = carry_over(own, clip_motions(clip, cropper, extractor, settings.face_threshold))
            sounds = clip_sound(driver) if has_sound(driver) else None
            frames = render_video(model, picture, motions, output, clip.frame_rate, portrait.name, look, sounds)
    if not frames:
        raise ClipError(f"{driver}: expected a clip of a face, found none in any frame")
    return frames


def carry_over(own: Motion | None, motions: Iterable[Motion]) -> Iterator[Motion]:
    """Yield the motion that drives a portrait for each motion of the driver: as it is, or relative to its first.

    own: the motion that the extractor sees in the portrait, for relative motion; None for absolute.
    """
    carry = None
    for motion in motions:
        if own is not None and carry is None:
            carry = Retarget(own, first=motion)
        yield carry(motion) if carry else motion
