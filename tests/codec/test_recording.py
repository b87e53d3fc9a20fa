"""Recordings: what is written comes back, what is damaged is found, what was good before the damage is not lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec import RecordingError, RecordingHeader, RecordingReader, RecordingWriter
from codec.recording_header import write_header

HEADER = RecordingHeader("4f2a90c1d7e8", "0123456789abcdef" * 4, b"RIFF....WEBPVP8 a face", "image/webp")
RECORDS = [(0.0, b"first"), (0.060125, b"\xf1" * 40), (3600.5, b"x")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed recording of three messages."""
    path = tmp_path / "call.fwr"
    with RecordingWriter(path, HEADER) as writer:
        for time_s, message in RECORDS:
            writer.write(time_s, message)
    return path


def read_until_error(path: Path) -> tuple[list[tuple[float, bytes]], str]:
    """The records before the damage, and what the error says; "" when there is none."""
    records: list[tuple[float, bytes]] = []
    try:
        for record in RecordingReader(path):
            records.append(record)
    except RecordingError as error:
        return records, str(error)
    return records, ""


def test_round_trip(path: Path) -> None:
    reader = RecordingReader(path)
    assert reader.header == HEADER
    before = reader.complete
    assert list(reader) == RECORDS
    assert (before, reader.complete) == (False, True)
    assert list(reader) == RECORDS  # and again


@given(st.lists(st.tuples(st.integers(0, 2**52), st.binary(min_size=1, max_size=99)), max_size=20))
def test_any_messages(tmp_path_factory: pytest.TempPathFactory, records: list[tuple[int, bytes]]) -> None:
    path = tmp_path_factory.getbasetemp() / "any_messages.fwr"
    with RecordingWriter(path, HEADER) as writer:
        for time_us, message in records:
            writer.write(min(time_us / 1e6, 2.0**32), message)
    assert list(RecordingReader(path)) == [(min(us / 1e6, 2.0**32), message) for us, message in records]


def test_readable_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "call.fwr"
    writer = RecordingWriter(path, HEADER)
    for count, (time_s, message) in enumerate(RECORDS, start=1):
        writer.write(time_s, message)
        reader = RecordingReader(path)
        assert list(reader) == RECORDS[:count]
        assert not reader.complete
    writer.close()


def test_writer_killed(tmp_path: Path) -> None:
    path = tmp_path / "call.fwr"
    program = (
        "import sys, os, signal; from pathlib import Path; from tests.codec.test_recording import *\n"
        "writer = RecordingWriter(Path(sys.argv[1]), HEADER)\n"
        "for record in RECORDS: writer.write(*record)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == -signal.SIGKILL
    reader = RecordingReader(path)
    assert list(reader) == RECORDS
    assert not reader.complete


def test_cut_off_anywhere(path: Path) -> None:
    data = path.read_bytes()
    body = len(write_header(HEADER))
    ends = [body]
    for _, message in RECORDS:
        ends.append(ends[-1] + 17 + len(message))
    for length in range(body, len(data)):
        path.write_bytes(data[:length])
        whole = sum(end <= length for end in ends) - 1
        records, error = read_until_error(path)
        assert records == RECORDS[:whole]
        # A file that ends between two records is a call whose writer was killed, and no error.
        assert error == ("" if length in ends else f"cut off at byte {ends[whole]}: {error.partition(': ')[2]}")


def test_cut_off_in_the_header(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(write_header(HEADER))):
        path.write_bytes(data[:length])
        with pytest.raises(RecordingError, match="expected a (facewire recording|recording's header)"):
            RecordingReader(path)


def test_a_changed_byte_anywhere(path: Path) -> None:
    data = path.read_bytes()
    body = len(write_header(HEADER))
    ends = [body + 17 + 5, body + 2 * 17 + 45, body + 3 * 17 + 46, len(data)]
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        path.write_bytes(changed)
        if position < body:
            with pytest.raises(RecordingError):
                RecordingReader(path)
        else:
            records, error = read_until_error(path)
            assert records == RECORDS[: sum(end <= position for end in ends)]
            assert error


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, behind_a_header: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "any_bytes.fwr"
    path.write_bytes((write_header(HEADER) if behind_a_header else b"") + data)
    records, error = read_until_error(path)
    assert sum(len(message) + 17 for _, message in records) <= len(data)
    assert error or not data
    assert "\n" not in error


def a_record(kind: int, payload: bytes, claimed: int | None = None, time_us: int = 0) -> bytes:
    """A record with a good checksum, whatever it says."""
    length = len(payload) if claimed is None else claimed
    record = bytes((kind,)) + length.to_bytes(4, "big") + time_us.to_bytes(8, "big") + payload
    return record + zlib.crc32(record).to_bytes(4, "big")


END = a_record(2, (3).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("tail", "words", "complete"),
    [
        (a_record(2, (4).to_bytes(4, "big")), "expected 4 messages, as the end record says, got 3", False),
        (END + b"more", "nothing behind the end record, got more at byte", False),
        (a_record(9, b"of a newer program") + END, "", True),
        (a_record(1, b"abc", claimed=65536), "record of 1 to 65535 bytes, got 65536", False),
        (a_record(1, b"", claimed=2**32 - 1), "record of 1 to 65535 bytes, got 4294967295", False),
        (a_record(1, b""), "record of 1 to 65535 bytes, got 0", False),
        (a_record(1, b"abc", time_us=2**64 - 1), "expected a time up to 4294967296 s, got 18446744073710 s", False),
        (a_record(2, (3).to_bytes(8, "big")), "expected an end record of 4 bytes at 0 s, got 8 bytes at 0 s", False),
        (a_record(2, (3).to_bytes(4, "big"), time_us=5), "of 4 bytes at 0 s, got 4 bytes at 5e-06 s", False),
        (bytes(40), "record of 1 to 65535 bytes, got 0", False),
    ],
)
def test_after_the_last_message(path: Path, tail: bytes, words: str, complete: bool) -> None:
    path.write_bytes(path.read_bytes()[: -len(END)] + tail)
    records, error = read_until_error(path)
    assert records == RECORDS
    assert words in error
    assert bool(words) == bool(error)
    reader = RecordingReader(path)
    if not error:
        assert len(list(reader)) == 3
    assert reader.complete == complete


def with_good_checksum(data: bytes) -> bytes:
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "big")


def changed_header(position: int, value: int) -> bytes:
    data = bytearray(write_header(HEADER))
    data[position] = value
    return with_good_checksum(bytes(data))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "a facewire recording .* starts with ''"),
        (b"\0\0\0\x18ftypmp42" + bytes(99), r"a facewire recording \(.fwr\), got a file that starts with '00 00 00 18"),
        (write_header(HEADER).replace(b"\r\n", b"\n"), "a facewire recording"),
        (changed_header(8, 1), "recording version 2, got version 1"),
        (changed_header(8, 3), "recording version 2, got version 3"),
        (changed_header(9, 0xFF), "header of at most 4194444 bytes, got 42781"),
        (changed_header(13, 255), "model id of 1 to 64 ASCII characters"),
        (changed_header(13, 0), "model id of 1 to 64 ASCII characters, got ''"),
        (changed_header(14, 0xE9), "model id of 1 to 64 ASCII characters"),
        (changed_header(14, 0x0A), "model id of 1 to 64 ASCII characters"),
        (
            changed_header(13 + 13 + 32 + 1, 0x49),
            "expected one of image/webp, image/jpeg, image/png, image/avif, got 'Image/webp'",
        ),
        (changed_header(-5, 0x45), "source image does not match its SHA-256"),
    ],
)
def test_no_recording_of_this_version(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "foreign.fwr"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=words):
        RecordingReader(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"cannot read the recording .*nowhere.fwr: No such file"):
        RecordingReader(tmp_path / "nowhere.fwr")
    with pytest.raises(RecordingError, match="cannot read the recording .*: Is a directory"):
        RecordingReader(tmp_path)
    with pytest.raises(RecordingError, match="cannot write the recording .*: No such file"):
        RecordingWriter(tmp_path / "nowhere" / "call.fwr", HEADER)


def test_file_taken_away_between_reads(path: Path) -> None:
    reader = RecordingReader(path)
    path.unlink()
    with pytest.raises(RecordingError, match="No such file"):
        list(reader)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_disk_full() -> None:
    with pytest.raises(RecordingError, match="cannot write the recording /dev/full: No space left on device"):
        RecordingWriter(Path("/dev/full"), HEADER)


def test_closed_writer(path: Path) -> None:
    writer = RecordingWriter(path, HEADER)
    writer.close()
    writer.close()
    with pytest.raises(RecordingError, match="is closed"):
        writer.write(1.0, b"late")
    assert list(RecordingReader(path)) == []


@pytest.mark.parametrize(
    ("time_s", "message", "words"),
    [
        (0.0, b"", "a message of 1 to 65535 bytes to record, got 0"),
        (0.0, bytes(65536), "a message of 1 to 65535 bytes to record, got 65536"),
        (-0.1, b"x", "a time of 0 s or later to record, got -0.1"),
        (float("nan"), b"x", "got nan"),
        (float("inf"), b"x", "got inf"),
    ],
)
def test_write_refused(path: Path, time_s: float, message: bytes, words: str) -> None:
    with RecordingWriter(path, HEADER) as writer:
        with pytest.raises(RecordingError, match=words):
            writer.write(time_s, message)
        writer.write(1.0, b"goes on")
    assert list(RecordingReader(path)) == [(1.0, b"goes on")]


def test_largest_source_image(tmp_path: Path) -> None:
    path = tmp_path / "call.fwr"
    header = RecordingHeader("m" * 64, "0" * 64, bytes(4 << 20), "image/jpeg")
    RecordingWriter(path, header).close()
    assert RecordingReader(path).header == header


@pytest.mark.parametrize(
    ("model_id", "tables", "image", "mime", "words"),
    [
        ("", "0" * 64, b"x", "image/png", "model id"),
        ("a b", "0" * 64, b"x", "image/png", "model id"),
        ("m" * 65, "0" * 64, b"x", "image/png", "model id"),
        ("m", "0" * 63, b"x", "image/png", "64 hex digits"),
        ("m", "A" * 64, b"x", "image/png", "64 hex digits"),
        ("m", "0" * 64, b"", "image/png", "source image of 1 to 4194304 bytes, got 0"),
        ("m", "0" * 64, bytes((4 << 20) + 1), "image/png", "got 4194305"),
        ("m", "0" * 64, b"x", "image/gif", "expected one of image/webp"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_header_refused(model_id: str, tables: str, image: bytes, mime: str, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        RecordingHeader(model_id, tables, image, mime)


def test_memory_is_bounded(tmp_path: Path) -> None:
    path, message = tmp_path / "long.fwr", bytes(60_000)
    tracemalloc.start()
    with RecordingWriter(path, HEADER) as writer:
        for index in range(300):
            writer.write(index * 0.06, message)
    count = sum(1 for _ in RecordingReader(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 300
    assert path.stat().st_size > 18_000_000
    assert peak < 1_000_000
