"""How often the sender is wrong when it says that the source picture no longer fits, and how often it misses it.

False alarms: people who talk, in clips, one look each second; each clip is a call of its own that begins with the
clip's first crop, and goes on forwards and backwards for as long as `--call` says. Clips whose camera moves are counted
by themselves: there the background really is another one. Misses: a hand, another background, less light, another lamp
(misfits.py), painted into every fourth look; after 20 looks as they were come 12 such ones.

    python -m benchmarks.fitness --data PREPARED [--split val,hd,train] [--step S] [--json]

Checks itself: every misfit must be noticed at least once.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import av
import cv2
import numpy as np
import torch

from benchmarks.misfits import MISFITS
from call.fitness import Fitness
from call.likeness import Unlikeness, compare
from models.config import ModelConfig
from models.placing import place
from models.rotations import rotation_matrix, turn_deg
from models.runtime.prepare import prepare
from models.training.dataset_index import read_index
from models.weights import Model, load_model
from receiver.render import FaceRenderer
from sender.camera import Image
from sender.extract import Extractor
from sender.source import decode_picture, encode_picture

BEFORE, AFTER = 20, 12
EACH: Final = 4
QUALITY: Final = 90


class Look(NamedTuple):
    """What one look says: unlikeness, and by how many degrees the head is turned against the source picture."""

    unlike: Unlikeness | None
    turned_deg: float


class Looks(NamedTuple):
    """Those of a clip: as it is, and with each misfit painted into some of them."""

    name: str
    static: bool
    seconds: float
    real: list[Look]
    painted: dict[str, list[Look]]


class Looker:
    """Looks at crops as a sender does, from one source picture."""

    def __init__(self, model: Model, first: Image) -> None:
        source = decode_picture(encode_picture(first, QUALITY))
        self._scaled = isinstance(model.config, ModelConfig)
        self._extractor = Extractor(model)
        self._extractor.set_source(source)
        self._renderer = FaceRenderer(model)
        self._renderer.set_source_now(source)

    def look(self, crop: Image) -> tuple[Look, np.ndarray[Any, np.dtype[np.float64]]]:
        """One look, and the keypoints that were found."""
        motion = self._extractor.extract_now(crop, 0.0).motion
        points = place(motion, self._extractor.canonical, self._scaled)
        R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        turned_deg = float(np.abs(turn_deg(R @ self._renderer.source_rotation.T)[:2]).max())
        return Look(compare(crop, self._renderer.render_now(motion), points), turned_deg), points

    def close(self) -> None:
        """End the threads."""
        self._extractor.close()
        self._renderer.close()


def crops(path: Path, size: int, step_s: float) -> Iterator[Image]:
    """A prepared clip's crops, one each `step_s`."""
    with av.open(str(path)) as clip:
        due_s = 0.0
        for frame in clip.decode(video=0):
            if frame.time is None or frame.time < due_s - 1e-3:
                continue
            due_s += step_s
            image = frame.to_ndarray(format="rgb24")
            yield np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def look_at(model: Model, name: str, path: Path, static: bool, step_s: float, other: Image | None) -> Looks:
    """Look at a clip, and at misfits painted into it; `other` is somebody else's crop."""
    images = list(crops(path, model.config.size, step_s))
    looker, chance = Looker(model, images[0]), np.random.default_rng(len(name))
    real, painted = [], {kind: list[Look]() for kind in MISFITS}
    try:
        for index, image in enumerate(images):
            look, points = looker.look(image)
            real.append(look)
            for kind, (paint, _) in MISFITS.items() if index % EACH == 1 and other is not None else ():
                assert other is not None
                painted[kind].append(looker.look(paint(image, other, points, chance))[0])
    finally:
        looker.close()
    return Looks(name, static, len(images) * step_s, real, painted)


def alarms(looks: Looks, step_s: float, call_s: float) -> list[str]:
    """The reasons that came to stand in a call that shows the clip forwards and backwards."""
    fitness, last, found = Fitness(), None, []
    there_and_back = [*looks.real, *looks.real[-2:0:-1]]
    for step in range(round(call_s / step_s)):
        look = there_and_back[step % len(there_and_back)]
        reason = fitness.look(look.unlike, look.turned_deg, step * step_s)
        if reason is not None and reason is not last:
            found.append(str(reason))
        last = reason
    return found


def noticed(looks: Looks, kind: str, step_s: float) -> tuple[bool, bool]:
    """Whether a misfit made any reason stand, and its own."""
    fitness, painted, reasons = Fitness(), looks.painted[kind], set()
    for step in range(BEFORE):
        fitness.look(*looks.real[step % len(looks.real)], step * step_s)
    for step in range(BEFORE, BEFORE + AFTER):
        reasons.add(fitness.look(*painted[step % len(painted)], step * step_s))
    return any(reasons), MISFITS[kind][1] in reasons


def measure(model: Model, data: Path, splits: list[str], step_s: float, call_s: float) -> dict[str, Any]:
    """All clips of these splits."""
    clips = [clip for clip in read_index(data).clips if clip.kind == "video" and clip.split in splits]
    other: Image | None = None
    everything = []
    for number, clip in enumerate(clips):
        looks = look_at(model, clip.name, data / clip.video, clip.static_camera, step_s, other)
        everything.append(looks)
        other = next(crops(data / clip.video, model.config.size, step_s))
        print(f"{number + 1}/{len(clips)} {clip.name}", file=sys.stderr, flush=True)
    return judge(everything, step_s, call_s)


def judge(everything: list[Looks], step_s: float, call_s: float) -> dict[str, Any]:
    """The figures."""
    result: dict[str, Any] = {"call_s": call_s, "step_s": step_s}
    for name, static in (("camera_stands", True), ("camera_moves", False)):
        chosen = [looks for looks in everything if looks.static is static]
        found = Counter(reason for looks in chosen for reason in alarms(looks, step_s, call_s))
        result[name] = {
            "clips": len(chosen),
            "minutes_of_clips": round(sum(looks.seconds for looks in chosen) / 60, 1),
            "hours_of_calls": round(len(chosen) * call_s / 3600, 2),
            "alarms": dict(found),
            "alarms_an_hour": round(found.total() / max(len(chosen) * call_s / 3600, 1e-9), 2),
        }
    for kind in MISFITS:
        hits = [noticed(looks, kind, step_s) for looks in everything if looks.painted[kind]]
        result[kind] = {
            "tried": len(hits),
            "noticed": sum(any_ for any_, _ in hits),
            "named": sum(own for _, own in hits),
        }
        if hits and not any(any_ for any_, _ in hits):
            raise SystemExit(f"expected {kind} to be noticed somewhere, it never was")
    return result


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="what `facewire prepare` made")
    parser.add_argument("--split", default="val,hd", help="sets of clips, with commas")
    parser.add_argument("--step", type=float, default=1.0, help="seconds between looks")
    parser.add_argument("--call", type=float, default=60.0, help="seconds of the call that each clip makes")
    parser.add_argument("--json", action="store_true", help="print JSON alone at the end")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = prepare(load_model(), ["extract", "render"], say=lambda line: print(line, file=sys.stderr)).model
    result = measure(model, arguments.data, arguments.split.split(","), arguments.step, arguments.call)
    print(json.dumps(result, indent=None if not arguments.json else 1))


if __name__ == "__main__":
    main()
