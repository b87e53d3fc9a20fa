"""Golden vectors: stored bytes parse to stored fields and are written again byte for byte.

`GENERATE_EXPECTED=1 pytest tests/codec/test_vectors.py` writes them anew. Do that only together with a new version
number in `codec/FORMAT.md`: old recordings and old peers hold these bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codec import (
    ByteTables,
    Decoder,
    Encoder,
    Motion,
    RecordingHeader,
    RecordingReader,
    RecordingWriter,
    WireError,
    message_cost,
)
from tests.codec.reference_decoder import decode_message
from tests.codec.synthetic import clip_motions, fitted_tables

VECTORS = Path(__file__).parents[1] / "vectors"
NAMES = ("message_one_frame", "message_two_frames", "message_sixteen_frames", "message_extremes")
K = 3


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def stored_tables() -> ByteTables:
    data = np.frombuffer((VECTORS / "tables_k3.bin").read_bytes(), ">u2")
    return ByteTables(data.reshape(-1, 256))


def fields(message: bytes, tables: ByteTables) -> dict[str, Any]:
    """Everything that a decoder must find in a message. fp16 numbers are exact in JSON."""
    decoded, cost = Decoder(tables).decode(message), message_cost(message)
    return {
        "version": 1,
        "profile": 1,
        "sequence": decoded.sequence,
        "times_ms": [round(motion.capture_time_s * 1000) for motion in decoded.motions],
        "keypoints": tables.keypoints,
        "vectors": [motion.as_vector().tolist() for motion in decoded.motions],
        "header_bytes": cost.header_bytes,
        "motion_bytes": cost.motion_bytes,
        "tables": "tables_k3.bin",
        "tables_sha256": tables.sha256,
    }


@pytest.mark.parametrize("name", NAMES)
def test_message(name: str) -> None:
    message, expected, tables = (VECTORS / f"{name}.bin").read_bytes(), load(name), stored_tables()
    assert tables.sha256 == expected["tables_sha256"]
    assert fields(message, tables) == expected
    motions = [
        Motion.from_vector(vector, ms / 1000)
        for vector, ms in zip(expected["vectors"], expected["times_ms"], strict=True)
    ]
    assert Encoder(tables, expected["sequence"]).encode(motions) == message


@pytest.mark.parametrize("name", NAMES)
def test_message_by_the_reference_decoder(name: str) -> None:
    message, expected = (VECTORS / f"{name}.bin").read_bytes(), load(name)
    assert vars(decode_message(message, stored_tables().frequencies.tolist())) == {
        field: expected[field] for field in ("version", "profile", "sequence", "times_ms", "keypoints", "vectors")
    }


@pytest.mark.parametrize("bad", load("bad_messages"), ids=lambda bad: bad["why"])
def test_bad_message(bad: dict[str, str]) -> None:
    with pytest.raises(WireError) as caught:
        Decoder(stored_tables()).decode(bytes.fromhex(bad["message"]))
    assert str(caught.value) == bad["error"]


def test_recording(tmp_path: Path) -> None:
    path, expected = VECTORS / "recording.fwr", load("recording")
    reader = RecordingReader(path)
    records = [[time_s, message.hex()] for time_s, message in reader]
    assert records == expected["records"]
    assert reader.complete
    assert reader.header.source_sha256 == expected["source_sha256"]
    header = RecordingHeader(
        expected["model_id"],
        expected["tables_sha256"],
        bytes.fromhex(expected["source_image"]),
        expected["source_mime"],
    )
    assert reader.header == header
    with RecordingWriter(tmp_path / "again.fwr", header) as writer:
        for time_s, message in expected["records"]:
            writer.write(time_s, bytes.fromhex(message))
    assert (tmp_path / "again.fwr").read_bytes() == path.read_bytes()


# From here on: how the vectors are made.


def make_messages() -> dict[str, bytes]:
    tables = fitted_tables(K)
    people = {count: clip_motions(90 + count, count, K, start_s=60.0) for count in (1, 2, 16)}
    extremes = np.resize([0.0, -0.0, 65504.0, -65504.0, 2.0**-24, -(2.0**-24), 1e9, -1e9, 180.0, -180.0], 15)
    return {
        "message_one_frame": Encoder(tables).encode(people[1]),
        "message_two_frames": Encoder(tables, 0x1234).encode(people[2]),
        "message_sixteen_frames": Encoder(tables, 65535).encode(people[16]),
        "message_extremes": Encoder(tables, 1).encode(
            [Motion.from_vector(np.roll(extremes, turn), time_s) for turn, time_s in ((0, 0.0), (1, 4294967.295))]
        ),
    }


def make_bad_messages(good: bytes) -> list[dict[str, str]]:
    cases = {
        "empty": b"",
        "three bytes": good[:3],
        "no magic": b"\x01" + good[1:],
        "newer version": b"\xf2" + good[1:],
        "unknown profile": good[:1] + b"\x21" + good[2:],
        "times missing": good[:5],
        "time not in its shortest form": good[:4] + b"\x80\x00" + good[6:],
        "time too large": good[:4] + b"\xff\xff\xff\xff\x7f" + good[6:],
        "time too long": good[:4] + b"\xff\xff\xff\xff\xff\x00" + good[6:],
        "no motion": good[: message_cost(good).header_bytes],
        "other number of keypoints": good[: message_cost(good).header_bytes] + b"\x14" + good[8:],
        "not of the range coder": good[: message_cost(good).header_bytes + 1] + b"\xff" * 20,
        "a byte behind": good + b"\x00",
    }
    return [{"why": why, "message": message.hex(), "error": error_of(message)} for why, message in cases.items()]


def error_of(message: bytes) -> str:
    with pytest.raises(WireError) as caught:
        Decoder(stored_tables()).decode(message)
    return str(caught.value)


def write_json(name: str, content: object) -> None:
    (VECTORS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


@pytest.mark.skipif(os.environ.get("GENERATE_EXPECTED") != "1", reason="rewrites the vectors: GENERATE_EXPECTED=1")
def test_generate() -> None:
    VECTORS.mkdir(exist_ok=True)
    (VECTORS / "tables_k3.bin").write_bytes(fitted_tables(K).frequencies.astype(">u2").tobytes())
    messages = make_messages()
    for name, message in messages.items():
        (VECTORS / f"{name}.bin").write_bytes(message)
        write_json(name, fields(message, stored_tables()))
    write_json("bad_messages", make_bad_messages(messages["message_two_frames"]))
    generate_recording([messages[name] for name in NAMES[:2]])


def generate_recording(messages: list[bytes]) -> None:
    source = b"the bytes of an image file"
    header = RecordingHeader("4f2a90c1d7e8", stored_tables().sha256, source, "image/webp")
    times_s = (0.0, 0.081234)
    with RecordingWriter(VECTORS / "recording.fwr", header) as writer:
        for time_s, message in zip(times_s, messages, strict=True):
            writer.write(time_s, message)
    content = {
        "version": 1,
        "profile": 1,
        "model_id": header.model_id,
        "tables_sha256": header.tables_sha256,
        "source_mime": header.source_mime,
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "source_image": source.hex(),
        "records": [[time_s, message.hex()] for time_s, message in zip(times_s, messages, strict=True)],
    }
    write_json("recording", content)
