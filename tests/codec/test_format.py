"""FORMAT.md: its worked example is what the code writes, and its limits are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import codec
from codec import ByteTables, Decoder, Encoder, Motion, RecordingHeader, RecordingWriter, message_cost
from codec.paper import motions_to_bytes
from codec.recording import MAX_RECEIVED_TIME_S
from codec.wire import MAX_TIME_MS
from tests.codec.reference_decoder import interval

FORMAT = (Path(codec.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")


def hex_block(name: str) -> bytes:
    """The bytes of one fenced block of FORMAT.md, without its comments."""
    block = re.search(rf"```hex {name}\n(.*?)```", FORMAT, re.DOTALL)
    assert block, f"FORMAT.md has no block {name}"
    return bytes.fromhex(re.sub(r"#.*", "", block[1]))


@pytest.fixture
def tables() -> ByteTables:
    frequencies = np.full((18, 256), 256)
    frequencies[::2] = 1
    frequencies[::2, 0] = 65281
    return ByteTables(frequencies)


@pytest.fixture
def motions() -> list[Motion]:
    still = np.zeros(3, np.float32)
    return [
        Motion(12.5, 0.0, 0.0, still, np.zeros((1, 3), np.float32), 1.0),
        Motion(12.25, -3.0, 0.0, still, np.array([[0.0, 0.02, 0.0]], np.float32), 1.04),
    ]


def test_example_tables(tables: ByteTables) -> None:
    assert hex_block("tables").hex() == tables.sha256


def test_example_symbols(motions: list[Motion]) -> None:
    assert hex_block("symbols") == motions_to_bytes(motions).tobytes()


def test_example_message(tables: ByteTables, motions: list[Motion]) -> None:
    message = Encoder(tables, first_sequence=7).encode(motions)
    assert hex_block("message") == message
    assert (len(message), message_cost(message).header_bytes) == (34, 7)
    decoded = Decoder(tables).decode(message)
    assert decoded.sequence == 7
    assert decoded.motions[0] == motions[0]
    assert decoded.motions[1].delta[0, 1] == np.float32(np.float16(0.02))


def test_example_steps(tables: ByteTables) -> None:
    rows = re.findall(r"^\| (\d) \| (\w\w) \| (\d+) \| (\d+) \| (\w{16}) \| (\w{16}) \|$", FORMAT, re.MULTILINE)
    low, width = 0, 2**64 - 1
    for position, symbol, left, right, low_hex, width_hex in rows:
        table = tables.frequencies[int(position)].tolist()
        assert interval(table, int(left)) == (int(symbol, 16), int(left), int(right))
        low, width = low + (width >> 24) * int(left), (width >> 24) * (int(right) - int(left))
        if width < 2**32:
            low, width = low * 2**32 % 2**64, width * 2**32
        assert (f"{low:016x}", f"{width:016x}") == (low_hex, width_hex)
    assert len(rows) == 4


def test_example_recording(tables: ByteTables, tmp_path: Path) -> None:
    path = tmp_path / "example.fwr"
    with RecordingWriter(path, RecordingHeader("4f2a90c1d7e8", tables.sha256, b"face", "image/webp")) as writer:
        writer.write(0.0815, hex_block("message"))
    assert hex_block("recording") == path.read_bytes()


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("keypoints", codec.MAX_KEYPOINTS),
        ("frames in a message", codec.MAX_FRAMES),
        ("bytes of a message", codec.MAX_MESSAGE_BYTES),
        ("capture time, ms", MAX_TIME_MS),
        ("bytes of a source image", codec.MAX_SOURCE_BYTES),
        ("bytes of a record's payload", codec.MAX_MESSAGE_BYTES),
    ],
)
def test_limits(what: str, limit: int) -> None:
    assert f"| {what} | {limit} |" in FORMAT


def test_versions() -> None:
    assert f"wire version {codec.WIRE_VERSION}, recording version {codec.RECORDING_VERSION}." in FORMAT
    assert MAX_RECEIVED_TIME_S == 2**32


def test_every_error_is_described() -> None:
    described = set(re.findall(r"^\| `(\w+Error)` \|", FORMAT, re.MULTILINE))
    assert described == {error.__name__ for error in codec.CodecError.__subclasses__()}
