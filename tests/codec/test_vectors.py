"""Golden vectors: stored bytes parse to stored fields, in this decoder and in the plain one, on any machine.

`GENERATE_EXPECTED=1 pytest tests/codec/test_vectors.py` writes them anew. Do that only together with a new version
number in `codec/FORMAT.md`: old recordings and old peers hold these bytes.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codec import (
    Acknowledgement,
    CodecTables,
    ConnectionRecord,
    ControlRecord,
    Decoder,
    Direction,
    Encoder,
    Level,
    MediaRecord,
    Motion,
    Profile,
    Record,
    RecordingHeader,
    RecordingReader,
    RecordingWriter,
    SourceRecord,
    StatisticsRecord,
    WireError,
    unwrap_sequence,
)
from codec.chain import state_bytes
from codec.wire import Envelope, read_message, write_message
from tests.codec.reference_decoder import ReferenceDecoder
from tests.codec.synthetic import canonical, clip_motions, fitted_tables

VECTORS = Path(__file__).parents[1] / "vectors"
CALLS = ("predictive", "paper")
PLAIN_MESSAGES = 2
"""Of each real call that the plain decoder reads as well, which takes its time."""
K = 3


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def stored_tables() -> CodecTables:
    return CodecTables.from_arrays({name: np.array(array) for name, array in load("tables_k3").items()})


@pytest.mark.parametrize("name", CALLS)
def test_call(name: str) -> None:
    call, tables = load(name), stored_tables()
    assert tables.sha256 == call["tables_sha256"]
    decoder = Decoder(tables)
    for vector in call["messages"]:
        assert fields(decoder, bytes.fromhex(vector["message"])) == {
            key: value for key, value in vector.items() if key not in ("kind", "message", "motion")
        }, vector["kind"]


@pytest.mark.parametrize("name", CALLS)
def test_motion_of_a_call(name: str) -> None:
    """Floats may differ in their last bits from machine to machine; integers never."""
    decoder = Decoder(stored_tables())
    for vector in load(name)["messages"]:
        decoded = decoder.decode(bytes.fromhex(vector["message"]))
        found = [motion.as_vector().tolist() for motion in (*decoded.repeated, *decoded.motions)]
        assert len(found) == len(vector["motion"])
        for numbers, expected in zip(found, vector["motion"], strict=True):
            assert numbers == pytest.approx(expected, rel=1e-6, abs=1e-6), vector["kind"]


@pytest.mark.parametrize("name", CALLS)
def test_call_by_the_reference_decoder(name: str) -> None:
    reference, newest = ReferenceDecoder(load("tables_k3")), None
    for vector in load(name)["messages"]:
        data = bytes.fromhex(vector["message"])
        newest = unwrap_sequence(read_message(data).sequence, newest)
        message = reference.decode(data, newest)
        answer = None if message.answer is None else list(message.answer)
        assert (message.sequence, message.profile, message.level) == (
            vector["sequence"],
            vector["profile"],
            vector["level"],
        )
        assert (answer, message.sound.hex(), message.check) == (vector["acknowledgement"], vector["sound"], True)
        every = [*message.repeated, *message.frames]
        assert [time_ms for time_ms, _ in message.frames] == vector["times_ms"]
        if vector["integers"]:
            assert every[-1][1] == vector["integers"]
            motion = reference.motion_of(every[-1][1], message.level)
            assert motion == pytest.approx(vector["motion"][-1], rel=1e-6, abs=1e-6)
        elif every:
            assert every[-1][1] == vector["motion"][-1]


def test_kinds() -> None:
    """Every kind of message there is has a vector."""
    kinds = {vector["kind"] for name in CALLS for vector in load(name)["messages"]}
    assert kinds >= {
        "begins",
        "chain",
        "repeat",
        "repeat two",
        "acknowledged state",
        "acknowledgement alone",
        "lacking, nothing held",
        "sound",
        "sound alone",
        "another level",
        "another spacing, a long gap",
        "escapes",
        "sixteen frames",
        "paper",
        "paper, fewer keypoints",
        "paper, repeat",
        "paper, extremes",
    }


@pytest.mark.parametrize("bad", load("bad_messages"), ids=lambda bad: bad["why"])
def test_bad_message(bad: dict[str, str]) -> None:
    with pytest.raises(WireError) as caught:
        Decoder(stored_tables()).decode(bytes.fromhex(bad["message"]))
    assert str(caught.value) == bad["error"]


def test_recording(tmp_path: Path) -> None:
    path, expected = VECTORS / "recording.fwr", load("recording")
    reader = RecordingReader(path)
    assert [as_json(record) for record in reader] == expected["records"]
    assert reader.complete
    assert reader.header == RecordingHeader(expected["model_id"], expected["tables_sha256"])
    with RecordingWriter(tmp_path / "again.fwr", reader.header) as writer:
        for record in reader:
            writer.add(record)
    assert (tmp_path / "again.fwr").read_bytes() == path.read_bytes()


def test_real_motion_gives_the_same_integers_everywhere() -> None:
    """All 13 validation clips at 25 fps and level `high`, and a digest of what its encoder had for integers."""
    calls = load("validation_calls")
    with np.load(VECTORS / "validation_tables.npz") as stored:
        tables = CodecTables.from_arrays(dict(stored))
    assert tables.sha256 == calls["tables_sha256"]
    plain_tables = {name: array.tolist() for name, array in tables.arrays().items()}
    for clip in calls["clips"]:
        decoder, reference, digest = Decoder(tables), ReferenceDecoder(plain_tables), 0
        for number, text in enumerate(clip["messages"]):
            decoder.decode(bytes.fromhex(text))
            state = decoder._states[number]
            digest = zlib.crc32(state_bytes(state), digest)
            if number < PLAIN_MESSAGES:
                message = reference.decode(bytes.fromhex(text), number)
                assert (message.frames[-1][1], message.check) == (state.frame.integers, True)
        assert digest == clip["digest"]
    assert len(calls["clips"]) == 13


# From here on: how the vectors are made.


def fields(decoder: Decoder, data: bytes) -> dict[str, Any]:
    """Everything that a decoder must find in a message."""
    decoded = decoder.decode(data)
    answer = decoded.acknowledgement
    newest = decoder._newest
    state = decoder._states.get(newest) if newest is not None and decoded.motions else None
    return {
        "sequence": decoded.sequence,
        "profile": int(decoded.profile),
        "level": int(decoded.level),
        "times_ms": [round(motion.capture_time_s * 1000) for motion in decoded.motions],
        "repeated_times_ms": [round(motion.capture_time_s * 1000) for motion in decoded.repeated],
        "integers": state.frame.integers if state else [],
        "acknowledgement": None if answer is None else [answer.newest, answer.received, answer.lacking],
        "sound": decoded.sound.hex(),
    }


def at(motion: Motion, time_s: float) -> Motion:
    return Motion.from_vector(motion.as_vector(), time_s)


def predictive_call() -> list[tuple[str, bytes]]:
    """A call over a link that loses what is not in the list."""
    encoder = Encoder(stored_tables(), first_sequence=1020)
    encoder.set_source(canonical(90, K))
    motions = [at(motion, 60 + index / 25) for index, motion in enumerate(clip_motions(90, 60, K))]
    sent: list[tuple[str, bytes]] = [("begins", encoder.encode(motions[:1]))]
    sent.append(("chain", encoder.encode(motions[1:3])))
    sent.append(("repeat", encoder.encode(motions[3:5], repeat=1)))
    sent.append(("sound", encoder.encode(motions[5:6], sound=b"\x78\x01opus")))
    encoder.encode(motions[6:7])
    encoder.encode(motions[7:8])
    sent.append(("repeat two", encoder.encode(motions[8:10], repeat=2)))
    encoder.level = Level.LOW
    sent.append(("another level", encoder.encode(motions[10:11], repeat=1)))
    encoder.level = Level.MEDIUM
    encoder.encode(motions[11:12])
    encoder.take_acknowledgement(Acknowledgement(2, 0xFFFF, lacking=True))
    sent.append(("acknowledged state", encoder.encode(motions[12:14], repeat=1)))
    encoder.take_acknowledgement(Acknowledgement(5, 0x0001))
    sent.append(("acknowledgement alone", encoder.encode([], acknowledge=Acknowledgement(515, 0xFBFF, lacking=True))))
    sent.append(("lacking, nothing held", encoder.encode([], acknowledge=Acknowledgement(-1, 0, lacking=True))))
    sent.append(("sound alone", encoder.encode([], sound=bytes(range(200)))))
    slower = [at(motion, 62 + 0.0667 * index) for index, motion in enumerate(motions[14:22])]
    slower.append(at(motions[22], 70.0))
    sent.append(("another spacing, a long gap", encoder.encode(slower, acknowledge=Acknowledgement(3, 0xFFFF))))
    wild = [Motion.from_vector(motions[23].as_vector() * scale, 70.1) for scale in (-40.0, 1e3)]
    sent.append(("escapes", encoder.encode(wild)))
    many = [at(motion, 70.2 + index / 30) for index, motion in enumerate(motions[24:40])]
    sent.append(("sixteen frames", encoder.encode(many)))
    return sent


def paper_call() -> list[tuple[str, bytes]]:
    encoder = Encoder(stored_tables(), Profile.PAPER, first_sequence=513)
    motions = clip_motions(91, 12, K, start_s=60.0)
    extremes = np.resize([0.0, -0.0, 65504.0, -65504.0, 2.0**-24, -(2.0**-24), 1e9, -1e9, 180.0, -180.0], 15)
    sent = [("paper", encoder.encode(motions[:2], acknowledge=Acknowledgement(0, 1)))]
    sent.append(("paper, fewer keypoints", encoder.encode(motions[2:4], keypoints=1)))
    encoder.encode(motions[4:6])
    sent.append(("paper, repeat", encoder.encode(motions[6:7], repeat=2, sound=b"opus")))
    turned = [Motion.from_vector(np.roll(extremes, turn), at_s) for turn, at_s in ((0, 61.0), (1, 4294967.295))]
    sent.append(("paper, extremes", encoder.encode(turned)))
    return sent


def make_bad_messages(good: bytes, chained: bytes) -> list[dict[str, str]]:
    cases = {
        "empty": b"",
        "one byte": good[:1],
        "version 1": bytes.fromhex("f1 10 0000 00 03 0102"),
        "newer version": bytes((good[0] & 0x0F | 0x30,)) + good[1:],
        "length of the sound missing": b"\x24\x00",
        "sound of nothing": b"\x24\x00\x00",
        "length of the sound too long for it": b"\x24\x00\x80\x05" + bytes(5),
        "sound cut off": b"\x24\x00\x05abc",
        "not of the range coder": good[:2] + b"\xff" * 20,
        "a byte behind": good + b"\x00",
        "builds on what never came": chained,
        "no motion": good[:2],
        "motion cut off": good[: len(good) // 2],
    }
    return [{"why": why, "message": message.hex(), "error": error_of(message)} for why, message in cases.items()]


def error_of(message: bytes) -> str:
    with pytest.raises(WireError) as caught:
        Decoder(stored_tables()).decode(message)
    return str(caught.value)


def write_json(name: str, content: object) -> None:
    (VECTORS / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")).replace("},{", "},\n{") + "\n")


@pytest.mark.skipif(os.environ.get("GENERATE_EXPECTED") != "1", reason="rewrites the vectors: GENERATE_EXPECTED=1")
def test_generate() -> None:
    write_json("tables_k3", {name: array.tolist() for name, array in fitted_tables(K).arrays().items()})
    makers: dict[str, Callable[[], list[tuple[str, bytes]]]] = {"predictive": predictive_call, "paper": paper_call}
    for name, make in makers.items():
        decoder, again, vectors = Decoder(stored_tables()), Decoder(stored_tables()), []
        for kind, message in make():
            decoded = again.decode(message)
            motion = [one.as_vector().tolist() for one in (*decoded.repeated, *decoded.motions)]
            vectors.append({"kind": kind, "message": message.hex(), **fields(decoder, message), "motion": motion})
        write_json(name, {"tables_sha256": stored_tables().sha256, "messages": vectors})
    (_, first), (_, second), *_ = predictive_call()
    write_json("bad_messages", make_bad_messages(first, second))
    generate_recording([first, second])


def generate_recording(messages: list[bytes]) -> None:
    header = RecordingHeader("4f2a90c1d7e8", stored_tables().sha256)
    spoken = write_message(Envelope(Profile.PREDICTIVE, 300, bytes(range(90)), b""))
    records: list[Record] = [
        ConnectionRecord(0.0, 0.004),
        ControlRecord(0.012, Direction.SENT, '{"type":"mute","on":false}'),
        ControlRecord(0.013, Direction.RECEIVED, "\u00e9 is two bytes"),
        SourceRecord(0.05, Direction.SENT, b"the bytes of an image file", "image/webp"),
        SourceRecord(0.06, Direction.RECEIVED, b"another", "image/avif"),
        MediaRecord(0.081, Direction.RECEIVED, messages[0]),
        MediaRecord(0.081, Direction.SENT, messages[0]),
        MediaRecord(0.09, Direction.SENT, spoken),
        MediaRecord(0.15, Direction.RECEIVED, messages[1]),
        MediaRecord(0.152, Direction.SENT, b"x"),  # what came may be anything
        MediaRecord(70.0, Direction.RECEIVED, spoken * 2),
        StatisticsRecord(70.5, 1_234_567, 89, 0.125, 0.0, 0.06, None),
        ConnectionRecord(80.0, -3.25),
        MediaRecord(80.1, Direction.RECEIVED, messages[0]),
    ]
    with RecordingWriter(VECTORS / "recording.fwr", header) as writer:
        for record in records:
            writer.add(record)
    content = {"model_id": header.model_id, "tables_sha256": header.tables_sha256}
    write_json("recording", content | {"records": [as_json(record) for record in records]})


def as_json(record: Record) -> dict[str, Any]:
    """A record's fields; bytes in hexadecimal."""
    fields = {name: value.hex() if isinstance(value, bytes) else value for name, value in vars(record).items()}
    return {"kind": type(record).__name__} | fields
