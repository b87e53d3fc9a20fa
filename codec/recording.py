"""Recordings (.fwr): what crossed the wire in both directions of a call, with its times, as the call went.

    header: magic, version, model id, tables' hash | block | block | ... | end block

FORMAT.md has the field tables. Writer and reader hold one block at a time, so a call may be of any length.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from codec.errors import RecordingError
from codec.recording_blocks import (
    BLOCK_VERSION,
    CRC_BYTES,
    MAX_BLOCK_BYTES,
    Fields,
    Kind,
    Paces,
    fresh_paces,
    media_payload,
    read_payload,
    record_block,
    varint,
    write_block,
)
from codec.recording_header import RecordingHeader, read_header, write_header
from codec.recording_records import Direction, MediaRecord, Record, SourceRecord

BLOCK_S: Final = 1.0
"""Media messages of no more than this share a block, and are lost together when the program is killed."""
_BLOCK_BYTES: Final = 256 << 10
_MOST_LENGTH_BYTES: Final = 4


def check_recording(path: Path) -> None:
    """Raise RecordingError for a path to which no recording can be written, before anybody is called."""
    if path.suffix.lower() != ".fwr":
        raise RecordingError(f"{path}: expected a name that ends in .fwr for the recording")
    if path.is_dir() or not path.parent.is_dir():
        raise RecordingError(f"{path}: expected a file in a folder that exists for the recording")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RecordingError(f"{path}: expected leave to write the recording there, have none")


class RecordingWriter:
    """Writes a recording as the call goes: what was written stays readable when the program is killed.

    Media messages wait for up to a second, or for `flush`; everything else is written at once.
    """

    def __init__(self, path: Path, header: RecordingHeader) -> None:
        """Create the file (or write over it) and write its header. RecordingError when that cannot be done."""
        self._path = path
        self._blocks = 0
        self._waiting: list[MediaRecord] = []
        self._waiting_bytes = 0
        self._paces = fresh_paces()
        try:
            # Unbuffered: one system call a block, nothing left in this process to lose or to fail again on close.
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise RecordingError(f"cannot write the recording {path}: {error.strerror or error}") from error
        self._write(write_header(header))

    def write(self, time_s: float, message: bytes, direction: Direction = Direction.RECEIVED) -> None:
        """Append one media message.

        Args: time_s: seconds since the recording began, 0 to 2^32, kept to the millisecond; one that is before the
            last of its direction counts as that one's. message: 1 to 65535 bytes, as it crossed; whether they decode
            is not asked here.
        Raises: RecordingError when a value is out of range, the disk is full, or the recording is closed.
        """
        self._check_open()
        record = MediaRecord(time_s, direction, message)
        if self._waiting and time_s - self._waiting[0].time_s >= BLOCK_S:
            self.flush()
        self._waiting.append(record)
        self._waiting_bytes += len(message)
        if self._waiting_bytes >= _BLOCK_BYTES:
            self.flush()

    def add(self, record: Record) -> None:
        """Append any record; what is no media message is in the file at once. Raises as `write`."""
        if isinstance(record, MediaRecord):
            self.write(record.time_s, record.message, record.direction)
            return
        self._check_open()
        self.flush()
        self._write(record_block(record))
        self._blocks += 1

    def flush(self) -> None:
        """Write the messages that wait. RecordingError when the disk is full."""
        if self._waiting and not self._file.closed:
            waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
            self._write(write_block(Kind.MEDIA, media_payload(waiting, self._paces)))
            self._blocks += 1

    def close(self) -> None:
        """Write what waits and the end block, by which a reader knows that nothing is missing. Again: nothing."""
        if self._file.closed:
            return
        try:
            self.flush()
            self._write(write_block(Kind.END, varint(self._blocks)))
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._file.closed:
            raise RecordingError(f"the recording {self._path} is closed")

    def _write(self, content: bytes) -> None:
        self._check_open()
        rest = memoryview(content)
        try:
            while rest:  # a raw file may take part of it
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.close()
            raise RecordingError(f"cannot write the recording {self._path}: {error.strerror or error}") from error


class RecordingReader:
    """Reads a recording: `.header`, then iterate over its records as often as wanted.

    Everything before a damaged place is yielded before RecordingError is raised. A recording whose writer was killed
    has no end block: it reads like any other, and `complete` stays False.

    header: what the recording begins with. complete: whether an iteration has come to the end block, so that nothing
    is missing.
    """

    def __init__(self, path: Path) -> None:
        """Read and check the header. RecordingError when the file cannot be read or is no recording."""
        self._path = path
        self.complete = False
        with _open(path) as file:
            self.header: RecordingHeader = read_header(file)
            self._body = file.tell()

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in the order of time. RecordingError at the first damaged place."""
        with _open(self._path) as file:
            file.seek(self._body)
            blocks, paces = 0, fresh_paces()
            while (block := _read_block(file)) is not None:
                start, kind, payload = block
                if kind is Kind.END:
                    _check_end(file, payload, blocks)
                    self.complete = True
                elif kind is not None:  # other kinds are for newer programs, and harmless to leave out
                    yield from _records(start, kind, payload, paces)
                blocks += 1

    def messages(self, direction: Direction = Direction.RECEIVED) -> Iterator[tuple[float, bytes]]:
        """Yield (seconds since the recording began, message) of one direction's media. Raises as iteration does."""
        for record in self:
            if isinstance(record, MediaRecord) and record.direction is direction:
                yield record.time_s, record.message

    def source(self, direction: Direction = Direction.RECEIVED) -> SourceRecord:
        """The first source picture of one direction. RecordingError where none is before the end or the damage."""
        for record in self:
            if isinstance(record, SourceRecord) and record.direction is direction:
                return record
        whose = "the other side" if direction is Direction.RECEIVED else "this side"
        raise RecordingError(f"{self._path}: expected a source picture of {whose} in the recording, found none")


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise RecordingError(f"cannot read the recording {path}: {error.strerror or error}") from error


def _read_block(file: BinaryIO) -> tuple[int, Kind | None, bytes] | None:
    """The next block: where it starts, its kind (None: unknown) and payload; None at the end of the file."""
    start = file.tell()
    head = file.read(1)
    if not head:
        return None
    length = 0
    for index in range(_MOST_LENGTH_BYTES):
        byte = file.read(1)
        head += byte
        length |= (byte[0] & 0x7F) << 7 * index if byte else 0
        if not byte or byte[0] < 0x80:
            break
    whole = len(head) > 1 and head[-1] < 0x80
    if (whole or len(head) > _MOST_LENGTH_BYTES) and not 1 <= length <= MAX_BLOCK_BYTES:
        raise RecordingError(f"damaged at byte {start}: expected a block of 1 to {MAX_BLOCK_BYTES} bytes, got {length}")
    rest = file.read(length + CRC_BYTES) if whole else b""
    if len(rest) != length + CRC_BYTES:
        got = len(head) + len(rest)
        raise RecordingError(f"cut off at byte {start}: expected a whole block, got {got} bytes of it")
    payload = rest[:length]
    if zlib.crc32(head + payload) != int.from_bytes(rest[length:], "big"):
        raise RecordingError(f"damaged at byte {start}: the block does not match its checksum")
    return start, _kind(start, head[0]), payload


def _kind(start: int, first: int) -> Kind | None:
    version, kind = first >> 4, first & 0x0F
    if kind not in set(Kind):
        return None
    if version != BLOCK_VERSION:
        raise RecordingError(
            f"expected blocks of version {BLOCK_VERSION}, got version {version} at byte {start}: "
            "a newer facewire wrote it"
        )
    return Kind(kind)


def _records(start: int, kind: Kind, payload: bytes, paces: Paces) -> list[Record]:
    """What a checksum does not say: that the writer kept to the format."""
    try:
        return read_payload(kind, payload, paces)
    except RecordingError as error:
        raise RecordingError(f"damaged at byte {start}: {error}") from None


def _check_end(file: BinaryIO, payload: bytes, blocks: int) -> None:
    fields = Fields(payload)
    promised = fields.number()
    fields.end()
    if promised != blocks:
        raise RecordingError(f"expected {promised} blocks, as the end block says, got {blocks}")
    if file.read(1):
        raise RecordingError(f"expected nothing behind the end block, got more at byte {file.tell() - 1}")
