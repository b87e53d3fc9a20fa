"""What recording a call costs, in bytes and CPU, and how fast a recording becomes a video.

    python -m benchmarks.recording [--minutes 10] [--weights FOLDER] [--no-video] [--json]

A call of that length is made from the demo's motion and two voices that take turns, by the real coders, and written as
a call writes it. Bars: at most 1 % over the messages and pictures, 2 % of one core; the video in less time than the
call took.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from codec.encoder import Encoder
from codec.motion import Motion
from codec.recording import RecordingReader, RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import (
    ConnectionRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
    StatisticsRecord,
)
from codec.sound import SAMPLE_RATE, SoundPacket, pack_sound
from models.runtime.prepare import prepare
from models.weights import Model, default_device, load_model
from replay.clip import ASSETS, load_motion
from replay.motions import crop_face, read_picture
from replay.play import Playing, Wish
from sender.extract import Extractor
from sender.settings import SendSettings
from sender.source import MIME, encode_picture
from sender.voice import Voice

MESSAGE_S: Final = 0.06
FPS: Final = 25.0
TALK_S: Final = 2.0
"""One side talks for so long, then the other."""
JITTER_MS: Final = 3.0
LOOK_EACH_S: Final = 10.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the call, record it, play it, print the figures."""
    options = _parse(arguments)
    model = load_model(options.weights, default_device())
    results: dict[str, Any] = {"minutes": options.minutes}
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "call.fwr"
        for name, spoken in (("with voice", True), ("without", False)):
            records = list(call(model, 60 * options.minutes, spoken))
            results[name] = record(path, model, records, 60 * options.minutes)
            if spoken and not options.no_video:
                results["video"] = film(path, Path(scratch) / "call.mp4", model, options.threads)
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        Console().print(_table(results))


def call(model: Model, seconds: float, spoken: bool) -> Iterator[Record]:
    """What crosses in such a call, in the order of time."""
    chance = np.random.default_rng(7)
    picture = _source(model)
    yield ConnectionRecord(0.0, 0.0)
    for direction in Direction:
        yield SourceRecord(0.2, direction, picture, MIME)
    sides = {direction: _messages(model, seconds, spoken, direction) for direction in Direction}
    due = {direction: next(side) for direction, side in sides.items()}
    look_s = LOOK_EACH_S
    while due:
        direction = min(due, key=lambda one: due[one][0])
        time_s, message = due[direction]
        if time_s >= look_s:
            yield StatisticsRecord(look_s, round(3000 * look_s), round(3000 * look_s), 0.01, 0.0, 0.045, 0.06)
            look_s += LOOK_EACH_S
        yield MediaRecord(max(0.25, time_s + abs(chance.normal(0, JITTER_MS)) / 1000), direction, message)
        following = next(sides[direction], None)
        if following is None:
            del due[direction]
        else:
            due[direction] = following


def _messages(model: Model, seconds: float, spoken: bool, direction: Direction) -> Iterator[tuple[float, bytes]]:
    """One direction's messages with the times at which they leave."""
    recorded = load_motion(ASSETS / "motion.npz")
    forth = [*recorded, *recorded[-2:0:-1]]  # played forth and back there is no jump
    encoder, voice = Encoder(model.codec_tables), Voice()
    frame = 0
    for tick in range(1, round(seconds / MESSAGE_S)):
        now_s = tick * MESSAGE_S
        motions: list[Motion] = []
        while frame / FPS <= now_s:
            motions.append(replace(forth[frame % len(forth)], capture_time_s=frame / FPS))
            frame += 1
        talks = spoken and int(now_s / TALK_S) % 2 == direction
        packets = voice.take(speech(tick), now_s - MESSAGE_S) if talks else []
        sound = pack_sound([SoundPacket(round(1000 * at_s), opus) for at_s, opus in packets]) if packets else b""
        if motions or sound:
            yield now_s, encoder.encode(motions, sound=sound)


def speech(tick: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    """60 ms of something like a voice: a pitch with harmonics and breath that rise and fall."""
    samples = round(MESSAGE_S * SAMPLE_RATE)
    t = (np.arange(samples) + tick * samples) / SAMPLE_RATE
    pitch_hz = 120 + 25 * np.sin(2 * np.pi * 0.7 * t)
    voiced = sum(np.sin(2 * np.pi * number * pitch_hz * t) / number for number in range(1, 12))
    breath = np.random.default_rng(tick).normal(0, 0.4, samples)
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * 3.1 * t)
    return np.asarray(3000 * envelope * (voiced + breath), np.int16)


def _source(model: Model) -> bytes:
    extractor = Extractor(model)
    try:
        portrait = ASSETS / "portrait.jpg"
        picture = crop_face(read_picture(portrait), str(portrait), model, extractor, SendSettings())
    finally:
        extractor.close()
    step = picture.shape[0] // model.config.size
    return encode_picture(np.ascontiguousarray(picture[::step, ::step]), 90)


def record(path: Path, model: Model, records: list[Record], seconds: float) -> dict[str, Any]:
    """Write a recording; what it costs beside what it holds. Checks that all of it can be read."""
    begin_s = time.process_time()
    with RecordingWriter(path, RecordingHeader(model.model_id, model.codec_tables.sha256)) as writer:
        for one in records:
            writer.add(one)
    cpu_s = time.process_time() - begin_s
    assert sum(1 for _ in RecordingReader(path)) == len(records)
    messages = [one for one in records if isinstance(one, MediaRecord)]
    payload = sum(len(one.message) for one in messages)
    content = payload + sum(len(one.picture) for one in records if isinstance(one, SourceRecord))
    size = path.stat().st_size
    return {
        "messages": len(messages),
        "bytes_a_message": round(payload / len(messages), 1),
        "payload_kbps_each_way": round(payload * 8 / 1000 / seconds / 2, 2),
        "file_bytes": size,
        "overhead_bytes_a_message": round((size - content) / len(messages), 2),
        "overhead_percent": round(100 * (size - content) / content, 2),
        "cpu_percent_of_a_core": round(100 * cpu_s / seconds, 3),
    }


def film(path: Path, output: Path, model: Model, threads: int) -> dict[str, Any]:
    """Make a video of it; how many times as fast as the call was."""
    torch.set_num_threads(threads)
    model = prepare(model, ["render"]).model
    begin_s = time.monotonic()
    played = Playing(path, model, Wish()).write(output)
    took_s = time.monotonic() - begin_s
    assert played.frames >= 0.99 * played.seconds * FPS
    return {
        "frames": played.frames,
        "seconds": played.seconds,
        "took_s": round(took_s, 1),
        "times_real_time": round(played.seconds / took_s, 2),
        "threads": threads,
    }


def _table(results: dict[str, Any]) -> Table:
    table = Table("", "figure", title=f"Recording a call of {results['minutes']:g} minutes")
    for name in ("with voice", "without"):
        for key, value in results[name].items():
            table.add_row(f"{name}: {key.replace('_', ' ')}", str(value))
    for key, value in results.get("video", {}).items():
        table.add_row(f"video: {key.replace('_', ' ')}", str(value))
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--no-video", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
