"""Makes the clip that `make demo` plays: the portrait in replay/assets under recorded motion, by the shipped weights.

    python -m replay.clip        (make demo-clip)

Where the excerpt that the motion comes from is at hand, it is extracted anew with the same weights; otherwise the
stored motion is used. See replay/assets/README.md.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from rich.console import Console
from rich.progress import track

from codec.errors import MotionError
from codec.motion import Motion
from models.weights import Model, WeightsError, load_model
from receiver.show import Image, VideoWriter
from replay.animate import carry_over
from replay.errors import ClipError, ReplayError
from replay.motions import clip_motions, crop_face, open_clip, read_picture
from replay.render import render_frames, usual_rate
from replay.retarget import rotation
from sender.errors import SenderError
from sender.extract import Extractor
from sender.settings import SendSettings

ASSETS = Path(__file__).with_name("assets")
EXCERPT = Path(__file__).parents[2] / "shared" / "data" / "talking_heads" / "hd" / "id097_0.mp4"
# The excerpt's speaker leans far to both sides and the camera follows him; on a portrait that stands still, all of that
# would take the head out of the crop. Expression is carried over whole.
SHARE_OF_TURN = 0.4
SHARE_OF_SHIFT = 0.15
MOST_BYTES = 500_000
FINEST_CRF, COARSEST_CRF = 16, 30


def main() -> None:
    """Make replay/assets/demo.mp4, and motion.npz where the excerpt is at hand."""
    try:
        model = load_model()
        size = make_clip(model, ASSETS, EXCERPT if EXCERPT.is_file() else None)
    except (ReplayError, SenderError, WeightsError) as error:
        sys.exit(f"demo-clip: {error}")
    print(f"{ASSETS / 'demo.mp4'}: {size} B")


def make_clip(model: Model, assets: Path, excerpt: Path | None) -> int:
    """Make demo.mp4 in `assets` from portrait.jpg and motion.npz there; returns its size in bytes.

    excerpt: clip to extract motion.npz from first, None to take the stored one. Raises ClipError, SenderError.
    """
    settings, console = SendSettings(), Console(stderr=True)
    with closing(Extractor(model)) as extractor:
        if excerpt is not None:
            clip, cropper = open_clip(excerpt, model, extractor, settings)
            with closing(clip):
                moving = clip_motions(clip, cropper, extractor, settings.face_threshold)
                save_motion(assets / "motion.npz", list(track(moving, "extracting", console=console)))
        motions = load_motion(assets / "motion.npz")
        portrait = assets / "portrait.jpg"
        picture = crop_face(read_picture(portrait), str(portrait), model, extractor, settings)
        extractor.set_source(picture)
        own = extractor.extract_now(picture, 0.0).motion
    driving = [calm(motion, own) for motion in carry_over(own, motions)]
    frames = list(render_frames(model, picture, track(driving, "rendering", console=console)))
    return write_small(assets / "demo.mp4", frames, usual_rate(motions))


def calm(motion: Motion, own: Motion) -> Motion:
    """Take a motion's pose part of the way back to the portrait's own; expression stays, in the head's axes."""
    shares = np.array([SHARE_OF_TURN] * 3 + [SHARE_OF_SHIFT] * 3, np.float32)
    start, full = own.as_vector()[:6], motion.as_vector()[:6]
    pose = start + shares * (full - start)
    yaw, pitch, roll = (float(angle) for angle in pose[:3])
    turned = replace(motion, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll, t=pose[3:])
    return replace(turned, delta=(motion.delta @ rotation(motion) @ rotation(turned).T).astype(np.float32))


def save_motion(path: Path, motions: Sequence[Motion]) -> None:
    """Store motions: fp16, as they travel, and their capture times."""
    vectors = np.stack([motion.as_vector() for motion in motions]).astype(np.float16)
    np.savez_compressed(path, motion=vectors, capture_time_s=[motion.capture_time_s for motion in motions])


def load_motion(path: Path) -> list[Motion]:
    """Read what `save_motion` stored. Raises ClipError."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            times_s = (float(at) for at in stored["capture_time_s"])
            return [Motion.from_vector(vector, at) for vector, at in zip(stored["motion"], times_s, strict=True)]
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, MotionError) as error:
        raise ClipError(f"{path}: expected stored motion, got none that can be read: {error}") from None


def write_small(path: Path, frames: Sequence[tuple[Image, float]], rate: float) -> int:
    """Write frames, each with its time in seconds, as well as fits into 500 kB; returns the size.

    Raises ClipError when nothing does.
    """
    for crf in range(FINEST_CRF, COARSEST_CRF + 1):
        with closing(VideoWriter(path, rate, crf)) as writer:
            for frame, at in frames:
                writer.write(frame, at)
        if path.stat().st_size <= MOST_BYTES:
            return path.stat().st_size
    raise ClipError(f"{path}: expected at most {MOST_BYTES} B, got {path.stat().st_size} at CRF {COARSEST_CRF}")


if __name__ == "__main__":
    main()
