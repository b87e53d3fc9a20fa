"""picture_format.py: the smallest of the formats that the other side reads, as good as WebP would be."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import features

from sender.camera import Image
from sender.picture_format import MOST_BYTES, encode_best, writable
from sender.source import encode_picture

QUALITY = 90
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this build of Pillow has no AVIF")


@pytest.fixture(scope="module")
def portrait() -> Image:
    """A rendered-looking head: soft shapes, some texture, an edge."""
    y, x = np.mgrid[0:128, 0:128].astype(np.float32)
    face = np.exp(-(((x - 64) / 30) ** 2 + ((y - 60) / 38) ** 2))
    noise = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 30, (128, 128)).astype(np.float32), (0, 0), 2)
    red = 60 + 150 * face + noise
    return np.stack((red, 50 + 100 * face + noise, 90 + 60 * face + 40 * (x > 100)), -1).clip(0, 255).astype(np.uint8)


def read(picture: bytes) -> tuple[str | None, Image]:
    with Pillow.open(io.BytesIO(picture)) as image:
        return image.format, np.array(image.convert("RGB"), np.uint8)


@pytest.mark.parametrize("mime", ["image/avif", "image/webp", "image/jpeg"])
def test_each_format_alone_is_as_good_as_webp(portrait: Image, mime: str) -> None:
    if mime not in writable():
        pytest.skip("this build of Pillow has no AVIF")
    webp = encode_best(portrait, ["image/webp"], QUALITY)
    encoded = encode_best(portrait, [mime], QUALITY)
    assert encoded.mime == mime
    name, seen = read(encoded.picture)
    assert f"image/{(name or '').lower()}" == mime
    assert encoded.likeness >= webp.likeness
    assert np.abs(seen.astype(int) - portrait).mean() < 6


def test_webp_is_what_it_was(portrait: Image) -> None:
    assert encode_best(portrait, ["image/webp"], QUALITY).picture == encode_picture(portrait, QUALITY)


@needs_avif
def test_smallest_of_those_that_are_read(portrait: Image) -> None:
    sizes = {mime: len(encode_best(portrait, [mime], QUALITY).picture) for mime in writable()}
    best = encode_best(portrait, writable(), QUALITY)
    assert len(best.picture) == min(sizes.values()) == sizes[best.mime]
    without = encode_best(portrait, ["image/webp", "image/jpeg"], QUALITY)
    assert len(without.picture) == min(sizes["image/webp"], sizes["image/jpeg"])


def test_somebody_who_reads_nothing_of_ours_gets_webp(portrait: Image) -> None:
    assert encode_best(portrait, ["image/png"], QUALITY).mime == "image/webp"
    assert encode_best(portrait, [], QUALITY).mime == "image/webp"


def test_no_more_than_the_limit_even_of_what_is_hard_to_code() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (512, 512, 3), np.uint8)
    soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.uint8)
    assert len(encode_picture(soft, QUALITY)) > 2 * MOST_BYTES
    encoded = encode_best(soft, ["image/webp", "image/jpeg"], QUALITY)
    assert len(encoded.picture) <= MOST_BYTES
    assert read(encoded.picture)[1].shape == (512, 512, 3)
