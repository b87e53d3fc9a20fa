"""Recordings (.fwr): the messages of one direction of a call, as received, and what is needed to show them.

    header: magic, version, model id, tables' hash, source image | record | record | ... | end record

FORMAT.md has the field tables. Writer and reader hold one record at a time, so a call may be of any length.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from codec.errors import RecordingError
from codec.recording_header import RecordingHeader, read_header, write_header
from codec.wire import MAX_MESSAGE_BYTES

MAX_RECEIVED_TIME_S: Final = float(1 << 32)  # 136 years; its microseconds fit in 8 bytes with room to spare

_KIND_MEDIA: Final = 1
_KIND_END: Final = 2
_END_BYTES: Final = 4
_HEAD_BYTES: Final = 13  # kind 1, payload length 4, received time 8
_CRC_BYTES: Final = 4


class RecordingWriter:
    """Writes a recording as the call goes: what was written stays readable when the program is killed."""

    def __init__(self, path: Path, header: RecordingHeader) -> None:
        """Create the file (or write over it) and write its header. RecordingError when that cannot be done."""
        self._path = path
        self._records = 0
        try:
            # Unbuffered: one system call a record, nothing left in this process to lose or to fail again on close.
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise RecordingError(f"cannot write the recording {path}: {error.strerror or error}") from error
        self._write(write_header(header))

    def write(self, received_time_s: float, message: bytes) -> None:
        """Append one message.

        Args: received_time_s: seconds since the recording began, 0 to 2^32, kept to the microsecond.
            message: 1 to 65535 bytes, as received; whether they decode is not asked here.
        Raises: RecordingError when a value is out of range, the disk is full, or the recording is closed.
        """
        if not 1 <= len(message) <= MAX_MESSAGE_BYTES:
            raise RecordingError(f"expected a message of 1 to {MAX_MESSAGE_BYTES} bytes to record, got {len(message)}")
        if not 0 <= received_time_s <= MAX_RECEIVED_TIME_S:
            raise RecordingError(f"expected a time of 0 s or later to record, got {received_time_s}")
        self._write(_record(_KIND_MEDIA, received_time_s, message))
        self._records += 1

    def close(self) -> None:
        """Write the end record, which tells a reader that nothing is missing. A second call does nothing."""
        if self._file.closed:
            return
        try:
            self._write(_record(_KIND_END, 0, self._records.to_bytes(_END_BYTES, "big")))
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, record: bytes) -> None:
        if self._file.closed:
            raise RecordingError(f"the recording {self._path} is closed")
        rest = memoryview(record)
        try:
            while rest:  # a raw file may take part of it
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.close()
            raise RecordingError(f"cannot write the recording {self._path}: {error.strerror or error}") from error


class RecordingReader:
    """Reads a recording: `.header`, then iterate over (received_time_s, message) as often as wanted.

    Everything before a damaged place is yielded before RecordingError is raised. A recording whose writer was killed
    has no end record: it reads like any other, and `complete` stays False.

    header: what the recording begins with. complete: whether an iteration has come to the end record, so that
    nothing is missing.
    """

    def __init__(self, path: Path) -> None:
        """Read and check the header. RecordingError when the file cannot be read or is no recording."""
        self._path = path
        self.complete = False
        with _open(path) as file:
            self.header: RecordingHeader = read_header(file)
            self._body = file.tell()

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        """Yield (seconds since the recording began, message). RecordingError at the first damaged place."""
        with _open(self._path) as file:
            file.seek(self._body)
            media = 0
            while (record := _read_record(file)) is not None:
                kind, received_time_s, payload = record
                if kind == _KIND_MEDIA:
                    media += 1
                    yield received_time_s, payload
                elif kind == _KIND_END:
                    _check_end(file, payload, media)
                    self.complete = True
                # Other kinds are for newer programs, and harmless to leave out: see FORMAT.md, "Versions".


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise RecordingError(f"cannot read the recording {path}: {error.strerror or error}") from error


def _record(kind: int, received_time_s: float, payload: bytes) -> bytes:
    time_us = round(received_time_s * 1e6).to_bytes(8, "big")
    record = bytes((kind,)) + len(payload).to_bytes(4, "big") + time_us + payload
    return record + zlib.crc32(record).to_bytes(_CRC_BYTES, "big")


def _read_record(file: BinaryIO) -> tuple[int, float, bytes] | None:
    """The next record as (kind, seconds, payload); None at the end of the file. RecordingError when damaged."""
    start = file.tell()
    head = file.read(_HEAD_BYTES)
    if not head:
        return None
    length = int.from_bytes(head[1:5], "big")
    if len(head) == _HEAD_BYTES and not 1 <= length <= MAX_MESSAGE_BYTES:
        raise RecordingError(
            f"damaged at byte {start}: expected a record of 1 to {MAX_MESSAGE_BYTES} bytes, got {length}"
        )
    rest = file.read(length + _CRC_BYTES) if len(head) == _HEAD_BYTES else b""
    if len(rest) != length + _CRC_BYTES:
        raise RecordingError(
            f"cut off at byte {start}: expected a whole record, got {len(head) + len(rest)} bytes of it"
        )
    payload = rest[:length]
    if zlib.crc32(head + payload) != int.from_bytes(rest[length:], "big"):
        raise RecordingError(f"damaged at byte {start}: the record does not match its checksum")
    received_time_s = int.from_bytes(head[5:], "big") / 1e6
    _check_record(start, head[0], length, received_time_s)
    return head[0], received_time_s, payload


def _check_record(start: int, kind: int, length: int, received_time_s: float) -> None:
    """What a checksum does not say: that the writer kept to the format."""
    if kind == _KIND_MEDIA and received_time_s > MAX_RECEIVED_TIME_S:
        raise RecordingError(
            f"damaged at byte {start}: expected a time up to {MAX_RECEIVED_TIME_S:.0f} s, got {received_time_s:.0f} s"
        )
    if kind == _KIND_END and (length, received_time_s) != (_END_BYTES, 0.0):
        raise RecordingError(
            f"damaged at byte {start}: expected an end record of {_END_BYTES} bytes at 0 s, got {length} bytes "
            f"at {received_time_s:g} s"
        )


def _check_end(file: BinaryIO, payload: bytes, media: int) -> None:
    promised = int.from_bytes(payload, "big")
    if promised != media:
        raise RecordingError(f"expected {promised} messages, as the end record says, got {media}")
    if file.read(1):
        raise RecordingError(f"expected nothing behind the end record, got more at byte {file.tell() - 1}")
