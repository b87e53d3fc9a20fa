"""source.py: what may become a source picture, and what is kept of it."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from receiver.errors import SourceError
from receiver.source import SourceCache, decode_source


def encode(size: tuple[int, int], kind: str = "WEBP", level: int = 90) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size, (level, 20, 200)).save(file, kind)
    return file.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3 * 64 * 1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "mime"), [("WEBP", "image/webp"), ("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_decode_source(kind: str, mime: str) -> None:
    picture = decode_source(encode((64, 64), kind), mime, 64)
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    assert np.abs(picture.astype(int) - (90, 20, 200)).max() < 12


def test_decode_source_of_twice_the_size() -> None:
    assert decode_source(encode((128, 128)), "image/webp", 64).shape == (128, 128, 3)


@pytest.mark.parametrize("size", [(96, 96), (64, 65), (1, 1), (256, 256), (64, 128)])
def test_decode_source_of_another_size(size: tuple[int, int]) -> None:
    with pytest.raises(
        SourceError, match=f"expected a source picture of 64x64 px or twice that, got {size[0]}x{size[1]}"
    ):
        decode_source(encode(size), "image/webp", 64)


def test_decode_source_announced_as_something_else() -> None:
    with pytest.raises(SourceError, match="expected a source picture in image/webp, got something else"):
        decode_source(encode((64, 64), "JPEG"), "image/webp", 64)


@pytest.mark.parametrize("width", [60000, 20000, 12000])
def test_decode_source_bomb_is_refused_by_its_header(width: int) -> None:
    with pytest.raises(SourceError, match="expected a source picture"):
        decode_source(png_bomb(width, width), "image/png", 64)


@pytest.mark.parametrize("kind", ["WEBP", "JPEG", "PNG"])
def test_decode_source_cut_anywhere_is_an_error_or_a_picture(kind: str) -> None:
    whole = encode((64, 64), kind)
    outcomes = []
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        try:
            outcomes.append(str(decode_source(whole[:length], f"image/{kind.lower()}", 64).shape))
        except SourceError as error:
            outcomes.append(str(error))
    assert all(outcome == "(64, 64, 3)" or outcome.startswith("expected a") for outcome in outcomes)
    assert not any("\n" in outcome for outcome in outcomes)
    assert outcomes[1].startswith("expected a")


def test_cache_keeps_and_finds_by_hash(tmp_path: Path) -> None:
    cache = SourceCache(tmp_path / "cache", 4)
    sha256 = hashlib.sha256(b"picture").hexdigest()
    assert cache.find(sha256) is None
    cache.keep(b"picture")
    assert cache.find(sha256) == b"picture"


def test_cache_does_not_give_out_a_damaged_picture(tmp_path: Path) -> None:
    cache = SourceCache(tmp_path, 4)
    cache.keep(b"picture")
    sha256 = hashlib.sha256(b"picture").hexdigest()
    (tmp_path / sha256).write_bytes(b"pictures")
    assert cache.find(sha256) is None


def test_cache_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = SourceCache(tmp_path, 2)
    names = [hashlib.sha256(name).hexdigest() for name in (b"a", b"b", b"c")]
    for age, name in enumerate((b"a", b"b")):
        cache.keep(name)
        os.utime(tmp_path / names[age], (1000 + age, 1000 + age))
    cache.find(names[0])  # used just now
    cache.keep(b"c")
    assert [cache.find(name) is not None for name in names] == [True, False, True]


def test_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    SourceCache(tmp_path / "file", 2).keep(b"picture")
