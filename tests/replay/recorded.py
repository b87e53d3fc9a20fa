"""Recordings of two-way calls for tests: made motion, the real coders, pictures that coding leaves alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from codec.encoder import Encoder
from codec.motion import Motion
from codec.recording import RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import ConnectionRecord, ControlRecord, Direction, MediaRecord, Record, SourceRecord
from models.weights import Model
from sender.source import encode_picture
from signaling.control_messages import SourceUse

RATE = 25
FRAMES = 50


def patches(model: Model, seed: int) -> NDArray[np.uint8]:
    """A picture [S,S,3] of soft coloured patches."""
    few = np.random.default_rng(seed).integers(0, 255, (4, 4, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(few, (model.config.size,) * 2, interpolation=cv2.INTER_CUBIC), np.uint8)


def source(model: Model, direction: Direction, seed: int, time_s: float = 0.0) -> SourceRecord:
    """A source picture."""
    return SourceRecord(time_s, direction, encode_picture(patches(model, seed), 90), "image/webp")


def motions(model: Model, frames: int = FRAMES, seed: int = 0) -> list[Motion]:
    """A head that moves smoothly."""
    random = np.random.default_rng(seed)
    size, phase = random.normal(0, 0.1, 3 * model.config.keypoints + 6), random.uniform(0, 6)
    return [Motion.from_vector(size * np.sin(0.2 * index + phase), index / RATE) for index in range(frames)]


def messages(model: Model, moving: Sequence[Motion], seed: int = 0) -> list[bytes]:
    """Two frames each."""
    encoder = Encoder(model.codec_tables, first_sequence=seed)
    return [encoder.encode(moving[index : index + 2]) for index in range(0, len(moving), 2)]


def two_way(model: Model, clock_s: float = 0.5) -> list[Record]:
    """A call of two seconds in both directions; the other side's picture changes after one."""
    received, sent = motions(model, seed=1), motions(model, seed=2)
    begun = [
        source(model, Direction.RECEIVED, 1),
        source(model, Direction.SENT, 2),
        source(model, Direction.RECEIVED, 3),
    ]
    use = SourceUse(sha256=begun[2].sha256, from_s=1.0).model_dump_json()
    records: list[Record] = [ConnectionRecord(0.4, clock_s), *(replace(one, time_s=0.45) for one in begun)]
    media: list[Record] = [
        MediaRecord(round(clock_s + late_s + moving[2 * index + 1].capture_time_s, 3), direction, message)
        for direction, moving, late_s in ((Direction.RECEIVED, received, 0.05), (Direction.SENT, sent, 0.0))
        for index, message in enumerate(messages(model, moving, seed=direction))
    ]
    crossing = [*media, ControlRecord(clock_s + 0.4, Direction.RECEIVED, use)]
    return records + sorted(crossing, key=lambda record: record.time_s)


def write(path: Path, model: Model, records: Sequence[Record]) -> Path:
    """Write a recording."""
    with RecordingWriter(path, RecordingHeader(model.model_id, model.codec_tables.sha256)) as writer:
        for record in records:
            writer.add(record)
    return path
