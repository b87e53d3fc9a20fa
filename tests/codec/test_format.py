"""FORMAT.md: its worked example is what the code writes, and its limits and tables are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import codec
from codec import (
    ConnectionRecord,
    ControlRecord,
    Direction,
    Encoder,
    Motion,
    RecordingHeader,
    RecordingWriter,
    SourceRecord,
    StatisticsRecord,
)
from codec.fields import MAX_REPEATS
from codec.predictive_tables import WEIGHT_UNIT
from codec.quantise import LARGEST
from codec.recording_blocks import MAX_BLOCK_BYTES
from codec.recording_records import MAX_CONTROL_BYTES, MAX_RECEIVED_TIME_S
from codec.residual import RUN_LIMITS
from codec.symbols import Model, SymbolWriter
from codec.wire import MAX_TIME_MS
from tests.codec import reference_decoder
from tests.codec.reference_decoder import RangeDecoder, ReferenceDecoder, interval
from tests.codec.test_vectors import load, stored_tables

FORMAT = (Path(codec.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")


def block(kind: str, name: str) -> str:
    """One fenced block of FORMAT.md, without its comments."""
    found = re.search(rf"```{kind} {name}\n(.*?)```", FORMAT, re.DOTALL)
    assert found, f"FORMAT.md has no block {kind} {name}"
    return re.sub(r"#.*", "", found[1])


def motion(yaw_deg: float, y: float, time_s: float) -> Motion:
    delta = np.zeros((3, 3), np.float32)
    delta[0, 1] = y
    return Motion(yaw_deg, 0.0, 0.0, np.zeros(3, np.float32), delta, time_s)


FIRST = [motion(12.5, 0.0, 1.0)]
SECOND = [motion(12.25, 0.02, 1.04), motion(15.0, 0.05, 1.08)]


@pytest.fixture
def encoder() -> Encoder:
    encoder = Encoder(stored_tables(), first_sequence=7)
    encoder.set_source(np.zeros((3, 3)))
    return encoder


def test_example_messages(encoder: Encoder) -> None:
    assert encoder.encode(FIRST) == bytes.fromhex(block("hex", "begins"))
    assert encoder.encode(SECOND) == bytes.fromhex(block("hex", "chain"))


def test_example_integers() -> None:
    reference = ReferenceDecoder(load("tables_k3"))
    for number, name in ((7, "begins"), (8, "chain")):
        message = reference.decode(bytes.fromhex(block("hex", name)), number)
        assert message.frames[-1][1] == [int(word) for word in block("integers", name).split()]


def test_example_symbols(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    coded: list[int] = []

    class Noting(SymbolWriter):
        def code(self, symbol: int, model: Model) -> int:
            coded.append(symbol)
            return super().code(symbol, model)

    monkeypatch.setattr("codec.encoder.SymbolWriter", Noting)
    encoder.encode(FIRST)
    table = re.findall(r"^\| ([\d, ]+) \| (?:[A-Z]+:|time:|yaw:|pitch,|coefficients:|check)", FORMAT, re.MULTILINE)
    assert [int(word) for row in table for word in row.split(", ")] == coded
    coded.clear()
    encoder.encode(SECOND)
    assert [int(word) for word in block("symbols", "chain").split()] == coded


def test_example_steps() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| (\d+) \| (\d+) \| (\d+) \| (\w{16}) \| (\w{16}) \|$", FORMAT, re.MULTILINE)
    decoder = RangeDecoder(bytes.fromhex(block("hex", "chain"))[2:])
    for name, symbol, left, right, low, width in rows:
        table = getattr(reference_decoder, name)
        assert interval(table, int(left)) == (int(symbol), int(left), int(right))
        assert decoder.take(table) == int(symbol)
        assert (f"{decoder.low:016x}", f"{decoder.width:016x}") == (low, width)
    assert len(rows) == 8


def test_example_recording(tmp_path: Path) -> None:
    path = tmp_path / "example.fwr"
    with RecordingWriter(path, RecordingHeader("4f2a90c1d7e8", stored_tables().sha256)) as writer:
        writer.add(ConnectionRecord(0.0, -0.25))
        writer.add(SourceRecord(0.02, Direction.RECEIVED, b"face", "image/webp"))
        writer.add(ControlRecord(0.05, Direction.SENT, '{"type":"mute","on":true}'))
        writer.write(0.0815, bytes.fromhex(block("hex", "begins")))
        writer.write(0.145, bytes.fromhex(block("hex", "chain")))
        writer.add(StatisticsRecord(10.0, 1700, 300, 0.025, 0.0, 0.061, None))
    assert bytes.fromhex(block("hex", "recording")) == path.read_bytes()


@pytest.mark.parametrize(
    "name", ["ANSWER", "RECEIVED", "FRAMES", "LINKS", "STEP", "LEVEL", "SPACING", "COUNT", "JITTER"]
)
def test_constant_tables(name: str) -> None:
    found = re.search(rf"^\| {name} \| (\d+) \| ([\d, x]+) \|$", FORMAT, re.MULTILINE)
    assert found
    weights: list[int] = []
    for part in found[2].split(", "):
        weight, _, times = part.partition(" x ")
        weights += [int(weight)] * int(times or 1)
    assert len(weights) == int(found[1])
    assert reference_decoder.shares(weights) == getattr(reference_decoder, name)


def test_contexts() -> None:
    assert f"how many of {', '.join(map(str, RUN_LIMITS))} are <= run" in FORMAT
    assert f"run = {WEIGHT_UNIT} " in FORMAT


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("keypoints", codec.MAX_KEYPOINTS),
        ("frames in a message", codec.MAX_FRAMES),
        ("repeated messages in a message", MAX_REPEATS),
        ("bytes of a message", codec.MAX_MESSAGE_BYTES),
        ("bytes of a sound", codec.MAX_SOUND_BYTES),
        ("capture time, ms", MAX_TIME_MS),
        ("magnitude of an integer", LARGEST),
        ("bytes of a source image", codec.MAX_SOURCE_BYTES),
        ("bytes of a control message", MAX_CONTROL_BYTES),
        ("bytes of a block's payload", MAX_BLOCK_BYTES),
    ],
)
def test_limits(what: str, limit: int) -> None:
    assert f"| {what} | {limit} |" in FORMAT


def test_versions() -> None:
    assert f"wire version {codec.WIRE_VERSION}, recording version {codec.RECORDING_VERSION}." in FORMAT
    assert MAX_RECEIVED_TIME_S == 2**32


def test_every_error_is_described() -> None:
    described = set(re.findall(r"^\| `(\w+)` \|", FORMAT, re.MULTILINE))
    errors = {error.__name__ for error in codec.CodecError.__subclasses__()}
    assert described >= errors | {"MissingReference"}
