"""The picture of oneself that crosses the wire: taken from the camera once a good face is there, or from a file."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from call.errors import PictureError
from sender.camera import Image
from sender.crop_square import Confirm, Find, cut, find_square
from sender.source import MIME, decode_picture, encode_picture
from signaling.control_messages import Mime

MOST_FILE_BYTES: Final = 16 << 20
MOST_SIDE_PX: Final = 8192
FORMATS: Final = ("JPEG", "PNG", "WEBP")
SEARCH_SIDE_PX: Final = 1280


@dataclass(frozen=True)
class OwnSource:
    """One's own source picture as the other side has it."""

    picture: bytes
    sha256: str
    mime: Mime = MIME

    @property
    def image(self) -> Image:
        """The picture decoded, uint8 RGB [S,S,3]."""
        return decode_picture(self.picture)


def from_crop(crop: Image, quality: int) -> OwnSource:
    """Encode a crop uint8 RGB [S,S,3]."""
    picture = encode_picture(crop, quality)
    return OwnSource(picture, hashlib.sha256(picture).hexdigest())


def from_file(content: bytes, size: int, threshold: float, find: Find, confirm: Confirm, quality: int) -> OwnSource:
    """Find the face in a picture file and crop it as a camera's frame is. Blocks. Raises PictureError."""
    image = _decode(content)
    square, score = find_square(image, size, threshold, find, confirm)
    if square is None:
        raise PictureError(
            f"expected a picture with one face in it, found none (score {score:.2f}, needed {threshold:.2f}): "
            "choose one where the face is well lit and looks at the camera"
        )
    return from_crop(cut(image, square, size), quality)


def _decode(content: bytes) -> Image:
    if len(content) > MOST_FILE_BYTES:
        raise PictureError(f"expected a picture of at most {MOST_FILE_BYTES >> 20} MiB, got {len(content) >> 20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(content), formats=FORMATS) as image:
                if max(image.size) > MOST_SIDE_PX:
                    raise PictureError(f"expected a picture of at most {MOST_SIDE_PX} px a side, got {max(image.size)}")
                upright = ImageOps.exif_transpose(image).convert("RGB")
                upright.thumbnail((SEARCH_SIDE_PX, SEARCH_SIDE_PX))
                return np.array(upright, np.uint8)
    except (UnidentifiedImageError, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise PictureError("expected a picture in JPEG, PNG or WebP, got something else") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureError(f"expected a whole picture, got a damaged one: {error}") from None
