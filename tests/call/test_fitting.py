"""fitting.py and own_source.py: a picture in the size and format that the other side wants."""

import io
from collections.abc import Iterator
from typing import get_args

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from call.fitting import USUAL, Fitting, Wishes
from call.own_source import OwnSource, cut_large, from_crop, from_file
from models.face_finder import FaceBox
from receiver.show import Image
from receiver.source import decode_source, readable
from sender.crop_square import Square
from sender.picture_format import encode_best, writable
from signaling.control_messages import Hello, Mime

SIZE, QUALITY = 64, 85


@pytest.fixture
def fitting() -> Iterator[Fitting]:
    made = Fitting(SIZE, QUALITY)
    yield made
    made.close()


def hello(picture_px: int = 0, pictures: tuple[Mime, ...] = ("image/webp",)) -> Hello:
    return Hello(
        role="caller", codec_format=2, model_id="m", tables_sha256="0" * 64, picture_px=picture_px, pictures=pictures
    )


def head(side: int) -> Image:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    soft = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 60, (side, side)).astype(np.float32), (0, 0), 2)
    face = 150 * np.exp(-(((x - 0.5) / 0.22) ** 2 + ((y - 0.5) / 0.3) ** 2)) + soft
    return np.stack((face + 60, face + 40, face + 30), -1).clip(0, 255).astype(np.uint8)


def middle(image: Image) -> FaceBox:
    side = len(image)
    return FaceBox(0.9, side / 2, side / 2, 0.5 * side, 0.5 * side)


def own(side: int) -> OwnSource:
    return from_crop(head(SIZE), QUALITY, head(side) if side > SIZE else None)


async def test_reads_what_the_hello_says(fitting: Fitting) -> None:
    for pictures in (("image/webp",), ("image/jpeg",), readable()):
        made = await fitting.fit(own(SIZE), fitting.wishes(hello(pictures=pictures)))
        assert made.mime in pictures
        assert decode_source(made.picture, made.mime, SIZE).shape == (SIZE, SIZE, 3)
        assert made.picture == encode_best(head(SIZE), pictures, QUALITY).picture


async def test_hello_of_before_gets_webp(fitting: Fitting) -> None:
    before = Hello.model_validate_json(hello().model_dump_json(exclude={"pictures"}))
    assert (await fitting.fit(own(SIZE), fitting.wishes(before))).mime == "image/webp"


async def test_large_for_who_shows_large_and_only_where_the_camera_has_it(fitting: Fitting) -> None:
    wishes = fitting.wishes(hello(picture_px=2 * SIZE, pictures=readable()))
    assert wishes.large
    large = await fitting.fit(own(2 * SIZE), wishes)
    assert large.image.shape == (2 * SIZE, 2 * SIZE, 3)
    assert (await fitting.fit(own(SIZE), wishes)).image.shape == (SIZE, SIZE, 3)
    assert (await fitting.fit(own(2 * SIZE))).image.shape == (SIZE, SIZE, 3)


async def test_same_crop_has_the_same_hash_and_is_made_once(fitting: Fitting) -> None:
    first = await fitting.fit(own(SIZE))
    assert fitting.ready(own(SIZE), USUAL) is first
    assert await fitting.fit(first) is first
    other = Fitting(SIZE, QUALITY)
    try:
        assert (await other.fit(own(SIZE))).sha256 == first.sha256
    finally:
        other.close()


async def test_picture_of_an_earlier_call_is_sent_as_it_was(fitting: Fitting) -> None:
    for side in (SIZE, 2 * SIZE):
        sent = await fitting.fit(own(side), Wishes(side > SIZE, readable()))
        again = from_file(sent.picture, SIZE, 0.5, middle, lambda crop: 1.0, QUALITY)
        assert again.sha256 == sent.sha256
        assert (await fitting.fit(again, Wishes(True, readable()))).sha256 == sent.sha256
        png: Wishes = Wishes(False, ("image/jpeg",))
        assert (await fitting.fit(again, png)).mime == "image/jpeg"


def test_what_a_file_says_besides_its_picture_is_not_sent() -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "a camera"
    file = io.BytesIO()
    Pillow.fromarray(head(SIZE)).save(file, "WEBP", quality=QUALITY, exif=exif)
    source = from_file(file.getvalue(), SIZE, 0.5, middle, lambda crop: 1.0, QUALITY)
    assert not source.kept
    assert b"a camera" in file.getvalue()
    assert b"a camera" not in source.picture


def test_other_sizes_are_cut_and_made_anew() -> None:
    file = io.BytesIO()
    Pillow.fromarray(head(3 * SIZE)).save(file, "WEBP", quality=QUALITY)
    source = from_file(file.getvalue(), SIZE, 0.5, middle, lambda crop: 1.0, QUALITY)
    assert not source.kept
    assert source.image.shape == (SIZE, SIZE, 3)
    assert source.large is not None
    assert source.large.shape == (2 * SIZE, 2 * SIZE, 3)


def test_large_is_cut_where_the_camera_has_that_detail() -> None:
    image = head(200)
    assert cut_large(image, Square(0, 0, 90), SIZE) is None
    large = cut_large(image, Square(10, 10, 120), SIZE)
    assert large is not None
    assert large.shape == (2 * SIZE, 2 * SIZE, 3)


def test_all_that_is_written_is_read() -> None:
    assert set(writable()) <= set(readable()) <= set(get_args(Mime))
