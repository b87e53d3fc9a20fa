"""Recordings: what is written comes back, what is damaged is found, what was good before the damage is not lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec import (
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    RecordingError,
    RecordingHeader,
    RecordingReader,
    RecordingWriter,
    SourceRecord,
    StatisticsRecord,
)
from codec.recording import check_recording
from codec.recording_blocks import Kind, fresh_paces, read_payload, varint
from codec.recording_header import write_header
from codec.recording_index import IndexWriter, Pace

RECEIVED, SENT = Direction.RECEIVED, Direction.SENT
HEADER = RecordingHeader("4f2a90c1d7e8", "0123456789abcdef" * 4)
SOURCE = SourceRecord(0.01, RECEIVED, b"RIFF....WEBPVP8 a face", "image/webp")
RECORDS: list[Record] = [
    ConnectionRecord(0.0, -1.5),
    SOURCE,
    MediaRecord(0.02, RECEIVED, b"first"),
    MediaRecord(0.06, RECEIVED, b"\xf1" * 40),
    MediaRecord(0.061, SENT, b"\x24\x07\x03abcmotion"),
    ControlRecord(0.07, SENT, '{"type":"mute","on":true}'),
    StatisticsRecord(10.0, 12345, 67, 0.1, 0.002, 0.06, None),
    MediaRecord(3600.5, RECEIVED, b"x"),
]
BLOCKS = 6  # the three messages that follow each other share one


def write(path: Path, records: list[Record]) -> Path:
    with RecordingWriter(path, HEADER) as writer:
        for record in records:
            writer.add(record)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed recording with a record of each kind."""
    return write(tmp_path / "call.fwr", RECORDS)


def read_until_error(path: Path) -> tuple[list[Record], str]:
    """The records before the damage, and what the error says; "" when there is none."""
    records: list[Record] = []
    try:
        for record in RecordingReader(path):
            records.append(record)
    except RecordingError as error:
        return records, str(error)
    return records, ""


def block_ends(path: Path) -> list[tuple[int, int]]:
    """(byte behind it, records up to there) of the header and each block but the end, found by cutting."""
    data = path.read_bytes()
    ends: list[tuple[int, int]] = []
    for length in range(len(write_header(HEADER)), len(data)):
        path.write_bytes(data[:length])
        records, error = read_until_error(path)
        if not error:
            ends.append((length, len(records)))
    path.write_bytes(data)
    return ends


def test_round_trip(path: Path) -> None:
    reader = RecordingReader(path)
    assert reader.header == HEADER
    before = reader.complete
    assert list(reader) == RECORDS
    assert (before, reader.complete) == (False, True)
    assert list(reader) == RECORDS  # and again
    assert list(reader.messages(SENT)) == [(0.061, b"\x24\x07\x03abcmotion")]
    assert reader.source() == SOURCE
    with pytest.raises(RecordingError, match="expected a source picture of this side in the recording, found none"):
        reader.source(SENT)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**42), st.sampled_from(Direction), st.binary(min_size=1, max_size=99)), max_size=30
    )
)
def test_any_messages(tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[int, Direction, bytes]]) -> None:
    """Any times and lengths, in the order of time as a clock has it."""
    messages.sort(key=lambda one: (one[0], one[1]))
    records: list[Record] = [MediaRecord(min(ms / 1000, 2.0**32), way, message) for ms, way, message in messages]
    path = tmp_path_factory.getbasetemp() / "any_messages.fwr"
    assert list(RecordingReader(write(path, records))) == records


def test_time_that_falls_counts_as_the_last_one(tmp_path: Path) -> None:
    records: list[Record] = [MediaRecord(1.0, RECEIVED, b"a"), MediaRecord(0.5, RECEIVED, b"b")]
    read = list(RecordingReader(write(tmp_path / "a.fwr", records)).messages())
    assert read == [(1.0, b"a"), (1.0, b"b")]


def test_a_recording_is_no_larger_than_the_messages_of_the_call(tmp_path: Path) -> None:
    """Ten minutes as calls are: a message each 60 ms and direction, 20 bytes of motion, half of them with sound."""
    chance, records = random.Random(1), []
    due_s, payload, sequence = {RECEIVED: 0.0, SENT: 0.03}, 0, {RECEIVED: 0, SENT: 0}
    while min(due_s.values()) < 600:
        way = min(due_s, key=lambda one: due_s[one])
        due_s[way] += 0.06 + chance.gauss(0, 0.003)
        sound = bytes(max(1, round(chance.gauss(78, 14)))) if way is SENT else b""
        told = 0 < len(sound) < 128
        sequence[way] = (sequence[way] + 1 + (chance.random() < 0.02)) % 1024  # some are lost
        head = (0x2400 * told or 0x2000) + sequence[way]
        spoken = bytes((len(sound),)) + sound if told else b""
        message = head.to_bytes(2, "big") + spoken + bytes(max(5, round(chance.gauss(20, 4))))
        payload += len(message)
        records.append(MediaRecord(due_s[way], way, message))
    size = write(tmp_path / "a.fwr", [*records]).stat().st_size
    assert size < payload


def test_readable_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "call.fwr"
    writer = RecordingWriter(path, HEADER)
    for count, record in enumerate(RECORDS, start=1):
        writer.add(record)
        writer.flush()
        reader = RecordingReader(path)
        assert list(reader) == RECORDS[:count]
        assert not reader.complete
    writer.close()


def test_messages_wait_for_a_second_at_most(tmp_path: Path) -> None:
    path = tmp_path / "call.fwr"
    writer = RecordingWriter(path, HEADER)
    for index in range(100):
        time_s = index * 0.06
        writer.write(time_s, b"motion")
        newest_s = max((at for at, _ in RecordingReader(path).messages()), default=0.0)
        assert time_s - newest_s <= 1.06
    writer.close()


def test_writer_killed(tmp_path: Path) -> None:
    path = tmp_path / "call.fwr"
    program = (
        "import sys, os, signal; from pathlib import Path; from tests.codec.test_recording import *\n"
        "writer = RecordingWriter(Path(sys.argv[1]), HEADER)\n"
        "for index in range(40): writer.write(index * 0.06, b'message')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == -signal.SIGKILL
    reader = RecordingReader(path)
    times_s = [time_s for time_s, _ in reader.messages()]
    assert times_s == [round(index * 0.06, 3) for index in range(len(times_s))]
    assert 39 * 0.06 - times_s[-1] < 1.0
    assert not reader.complete


def test_cut_off_anywhere(path: Path) -> None:
    data, ends = path.read_bytes(), dict(block_ends(path))
    assert len(ends) == BLOCKS + 1
    for length in range(min(ends), len(data)):
        path.write_bytes(data[:length])
        records, error = read_until_error(path)
        start = max(end for end in ends if end <= length)
        assert records == RECORDS[: ends[start]]
        # A file that ends between two blocks is a call whose writer was killed, and no error.
        assert error == ("" if length == start else f"cut off at byte {start}: {error.partition(': ')[2]}")


def test_cut_off_in_the_header(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(write_header(HEADER))):
        path.write_bytes(data[:length])
        with pytest.raises(RecordingError, match="expected a (facewire recording|recording's header)"):
            RecordingReader(path)


def test_a_changed_byte_anywhere(path: Path) -> None:
    data, ends = path.read_bytes(), dict(block_ends(path))
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        path.write_bytes(changed)
        if position < min(ends):
            with pytest.raises(RecordingError):
                RecordingReader(path)
        else:
            records, error = read_until_error(path)
            assert records == RECORDS[: ends[max(end for end in ends if end <= position)]]
            assert error


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, behind_a_header: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "any_bytes.fwr"
    path.write_bytes((write_header(HEADER) if behind_a_header else b"") + data)
    _, error = read_until_error(path)
    assert error or not data
    assert "\n" not in error


def a_block(kind: int, payload: bytes, claimed: int | None = None, version: int = 1) -> bytes:
    """A block with a good checksum, whatever it says."""
    block = bytes((version << 4 | kind,)) + varint(len(payload) if claimed is None else claimed) + payload
    return block + zlib.crc32(block).to_bytes(4, "big")


END = a_block(2, varint(BLOCKS))
ONE = bytes.fromhex("01 00")  # one message received


def test_a_message_shorter_than_the_header_it_is_said_to_have() -> None:
    index = IndexWriter()
    index.put(Pace(), 60, 1, "0", b"\x20\0")
    bits = index.finish()
    payload = ONE + varint(len(bits)) + bits
    with pytest.raises(RecordingError, match="expected a message in 0 bytes, the index says 1 bytes of it"):
        read_payload(Kind.MEDIA, payload, fresh_paces())


@pytest.mark.parametrize(
    ("tail", "words", "complete"),
    [
        (a_block(2, varint(7)), "expected 7 blocks, as the end block says, got 6", False),
        (a_block(2, varint(6) + b"x"), "expected a block to end, 1 bytes are left", False),
        (END + b"more", "nothing behind the end block, got more at byte", False),
        (a_block(9, b"of a newer program") + a_block(2, varint(7)), "", True),
        (a_block(1, ONE, version=2), "expected blocks of version 1, got version 2 at byte", False),
        (a_block(1, b"abc", claimed=1 << 27), "a block of 1 to 4195328 bytes, got 134217728", False),
        (b"\x11\xff\xff\xff\xff\x7f", "a block of 1 to 4195328 bytes, got 268435455", False),
        (a_block(1, b""), "a block of 1 to 4195328 bytes, got 0", False),
        (bytes(40), "a block of 1 to 4195328 bytes, got 0", False),
        (a_block(1, ONE + b"\0" + b"message"), "expected the index of all messages, it ends before the last", False),
        (a_block(1, ONE + b"\x09" + b"message"), "expected 9 bytes more in a block, it has 7", False),
        (a_block(1, b"\0\0\1\0message"), "expected 1 to 8 messages in an index of 1 bytes, got 0", False),
        (a_block(1, b"\x09\0\1\0message"), "expected 1 to 8 messages in an index of 1 bytes, got 9", False),
        (a_block(1, ONE + b"\x02\0\1" + bytes(20)), "expected the index of messages to end with the last", False),
        (
            a_block(1, ONE + b"\x02\0\0" + bytes(9)),
            "expected a message in 9 bytes, the index says 20 bytes of it",
            False,
        ),
        (a_block(1, ONE + b"\x02\0\0" + bytes(21)), "messages of 21 bytes in all, they are 18", False),
        (a_block(3, b"\0\2"), "expected a direction, 0 or 1, got 2", False),
        (a_block(3, b"\0\0\x0aimage/webp" + bytes(32) + b"x"), "source image does not match its SHA-256", False),
        (a_block(4, b"\0\0\xff"), "expected a control message in UTF-8", False),
        (a_block(4, b"\0\0"), "expected a control message of 1 to 16384 bytes", False),
        (a_block(5, b"\0\0\0\xe9\x07\0\0\0"), "expected statistics in their ranges", False),
        (a_block(5, b"\0\0"), "expected 1 bytes more in a block, it has 0", False),
        (a_block(6, b"\xff" * 9), "expected a number of at most 9 bytes in a block, got a longer one", False),
    ],
)
def test_after_the_last_record(path: Path, tail: bytes, words: str, complete: bool) -> None:
    path.write_bytes(path.read_bytes()[: -len(END)] + tail)
    records, error = read_until_error(path)
    assert records == RECORDS
    assert words in error
    assert bool(words) == bool(error)
    reader = RecordingReader(path)
    if not error:
        assert len(list(reader)) == len(RECORDS)
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
        (changed_header(8, 2), "recording version 3, got version 2$"),
        (changed_header(8, 4), "recording version 3, got version 4: a newer facewire wrote it"),
        (changed_header(9, 0xFF), "header of at most 97 bytes, got 42781"),
        (changed_header(13, 255), "model id of 1 to 64 ASCII characters"),
        (changed_header(13, 0), "model id of 1 to 64 ASCII characters, got ''"),
        (changed_header(13, 11), "expected the tables' SHA-256 as 64 hex digits"),
        (changed_header(14, 0xE9), "model id of 1 to 64 ASCII characters"),
        (changed_header(14, 0x0A), "model id of 1 to 64 ASCII characters"),
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


def test_a_path_is_checked_before_the_call(tmp_path: Path) -> None:
    check_recording(tmp_path / "call.fwr")
    assert not (tmp_path / "call.fwr").exists()
    with pytest.raises(RecordingError, match="expected a name that ends in .fwr for the recording"):
        check_recording(tmp_path / "clip.mp4")
    with pytest.raises(RecordingError, match="expected a file in a folder that exists"):
        check_recording(tmp_path / "none" / "call.fwr")


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
    with pytest.raises(RecordingError, match="is closed"):
        writer.add(SOURCE)
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
    assert list(RecordingReader(path).messages()) == [(1.0, b"goes on")]


def test_largest_of_everything(tmp_path: Path) -> None:
    records: list[Record] = [
        SourceRecord(2.0**32, SENT, bytes(4 << 20), "image/jpeg"),
        ControlRecord(2.0**32, SENT, "x" * 16384),
        MediaRecord(2.0**32, SENT, bytes(65535)),
        StatisticsRecord(2.0**32, (1 << 56) - 1, 0, 1.0, 1.0, 1e6, 1e6),
    ]
    assert list(RecordingReader(write(tmp_path / "a.fwr", records))) == records


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RecordingHeader("", "0" * 64), "model id"),
        (lambda: RecordingHeader("a b", "0" * 64), "model id"),
        (lambda: RecordingHeader("m" * 65, "0" * 64), "model id"),
        (lambda: RecordingHeader("m", "0" * 63), "64 hex digits"),
        (lambda: RecordingHeader("m", "A" * 64), "64 hex digits"),
        (lambda: SourceRecord(0, SENT, b"", "image/png"), "source image of 1 to 4194304 bytes, got 0"),
        (lambda: SourceRecord(0, SENT, bytes((4 << 20) + 1), "image/png"), "got 4194305"),
        (lambda: SourceRecord(0, SENT, b"x", "image/gif"), "expected one of image/webp"),
        (lambda: ControlRecord(0, SENT, "x" * 16385), "control message of 1 to 16384 bytes to record, got 16385"),
        (lambda: StatisticsRecord(0, -1, 0, 0, 0, None, None), "expected statistics in their ranges"),
        (lambda: StatisticsRecord(0, 0, 0, float("nan"), 0, None, None), "expected statistics in their ranges"),
        (lambda: ConnectionRecord(0, float("nan")), "expected a time of capture time 0"),
    ],
)
def test_refused_values(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(RecordingError, match=words):
        make()


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
    assert peak < 2_500_000  # a block of 256 kB, in pieces and whole
