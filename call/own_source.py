"""The picture of oneself that crosses the wire: taken from the camera once a good face is there, or from a file.

fitting.py makes of it what the other side wants: its size, and the smallest format that it reads.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from call.errors import PictureError
from sender.camera import Image
from sender.crop_square import Confirm, Find, Square, cut, find_square
from sender.picture_format import MOST_BYTES
from sender.source import LARGE_FROM, MIME, decode_picture, encode_picture
from signaling.control_messages import Mime

MOST_FILE_BYTES: Final = 16 << 20
MOST_SIDE_PX: Final = 8192
FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF")
AS_IT_IS: Final[dict[str, Mime]] = {"JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif"}
PRIVATE: Final = ("exif", "xmp", "icc_profile", "comment", "photoshop")
"""What a picture file may say besides the picture: where and with what it was taken. It is not sent."""
SEARCH_SIDE_PX: Final = 1280


@dataclass(frozen=True)
class OwnSource:
    """One's own source picture as the other side has it, and what it was made of."""

    picture: bytes
    sha256: str
    mime: Mime = MIME
    crop: Image | None = field(default=None, compare=False, repr=False)
    """uint8 RGB [S,S,3], S the model's size, before it was encoded."""
    large: Image | None = field(default=None, compare=False, repr=False)
    """The same at twice the size, where the camera or file has that detail."""
    kept: bool = False
    """Whether it is a file that is sent as it is to whoever reads its type."""

    @property
    def image(self) -> Image:
        """The picture decoded, uint8 RGB [S,S,3]."""
        return decode_picture(self.picture)


def from_crop(crop: Image, quality: int, large: Image | None = None) -> OwnSource:
    """Encode a crop uint8 RGB [S,S,3] as everybody reads it; `large` is the same at twice the size."""
    return replace(from_bytes(encode_picture(crop, quality), MIME), crop=crop, large=large)


def from_bytes(picture: bytes, mime: Mime) -> OwnSource:
    """A picture file as it is."""
    return OwnSource(picture, hashlib.sha256(picture).hexdigest(), mime)


def cut_large(image: Image, square: Square, size: int) -> Image | None:
    """Cut a square out of [H,W,3] at twice `size`; None where the camera has not that much detail there."""
    return cut(image, square, 2 * size) if square.side >= LARGE_FROM * size else None


def from_file(content: bytes, size: int, threshold: float, find: Find, confirm: Confirm, quality: int) -> OwnSource:
    """Find the face in a picture file and crop it as a camera's frame is. Blocks. Raises PictureError.

    A file that was sent in an earlier call, or could have been, stays as it is: the other side may still have it.
    """
    image, mime = _decode(content)
    square, score = find_square(image, size, threshold, find, confirm)
    if square is None:
        raise PictureError(
            f"expected a picture with one face in it, found none (score {score:.2f}, needed {threshold:.2f}): "
            "choose one where the face is well lit and looks at the camera"
        )
    if mime is not None and image.shape[:2] in ((size, size), (2 * size, 2 * size)) and square.side == len(image):
        small, large = cut(image, square, size), image if len(image) > size else None
        return replace(from_bytes(content, mime), crop=small, large=large, kept=True)
    return from_crop(cut(image, square, size), quality, cut_large(image, square, size))


def _decode(content: bytes) -> tuple[Image, Mime | None]:
    """The picture, at most SEARCH_SIDE_PX a side, and its type where the file could be sent as it is."""
    if len(content) > MOST_FILE_BYTES:
        raise PictureError(f"expected a picture of at most {MOST_FILE_BYTES >> 20} MiB, got {len(content) >> 20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(content), formats=FORMATS) as image:
                if max(image.size) > MOST_SIDE_PX:
                    raise PictureError(f"expected a picture of at most {MOST_SIDE_PX} px a side, got {max(image.size)}")
                plain = len(content) <= MOST_BYTES and not any(image.info.get(name) for name in PRIVATE)
                mime = AS_IT_IS.get(image.format or "") if plain and image.mode == "RGB" else None
                upright = ImageOps.exif_transpose(image).convert("RGB")
                upright.thumbnail((SEARCH_SIDE_PX, SEARCH_SIDE_PX))
                return np.array(upright, np.uint8), mime
    except (UnidentifiedImageError, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise PictureError("expected a picture in JPEG, PNG, WebP or AVIF, got something else") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureError(f"expected a whole picture, got a damaged one: {error}") from None
