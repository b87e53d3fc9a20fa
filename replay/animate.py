"""The motion of one person on the picture of another."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

from codec.motion import Motion
from models.weights import Model
from receiver.look import Look
from receiver.show import check_output
from replay.decompress import decompress_recording
from replay.errors import ClipError
from replay.motions import clip_motions, crop_face, open_clip, read_picture
from replay.render import render_video
from replay.retarget import Retarget, nearest_start
from sender.clip_sound import clip_sound, has_sound
from sender.extract import Extractor
from sender.settings import SendSettings
from signaling.settings import read_settings

Start = Literal["first", "nearest"]


def animate_picture(
    portrait: Path,
    driver: Path,
    output: Path,
    model: Model,
    *,
    relative: bool,
    look: Look | None = None,
    start: Start = "nearest",
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
            return decompress_recording(driver, output, model, picture, partial(carry_over, own, start=start), look)
        clip, cropper = open_clip(driver, model, extractor, settings)
        with closing(clip):
            motions = carry_over(own, clip_motions(clip, cropper, extractor, settings.face_threshold), start)
            sounds = clip_sound(driver) if has_sound(driver) else None
            frames = render_video(model, picture, motions, output, clip.frame_rate, portrait.name, look, sounds)
    if not frames:
        raise ClipError(f"{driver}: expected a clip of a face, found none in any frame")
    return frames


def carry_over(own: Motion | None, motions: Iterable[Motion], start: Start = "nearest") -> Iterator[Motion]:
    """Yield the motion that drives a portrait for each motion of the driver: as it is, or relative to one of them.

    own: the motion that the extractor sees in the portrait, for relative motion; None for absolute. start: relative
    motion counts from the driver's first frame, or from the one most like the portrait: then all are read first.
    """
    if own is None:
        yield from motions
        return
    driven = list(motions) if start == "nearest" else motions
    carry = Retarget(own, nearest_start(own, driven)) if isinstance(driven, list) and driven else None
    for motion in driven:
        if carry is None:
            carry = Retarget(own, first=motion)
        yield carry(motion)
