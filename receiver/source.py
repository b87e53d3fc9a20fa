"""The source picture at the receiver: decoded with its size checked first, kept for the next call where wanted."""

import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError, features

from receiver.errors import SourceError
from receiver.show import Image
from signaling.control_messages import Mime

FORMATS: Final[dict[str, str]] = {
    "image/webp": "WEBP",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/avif": "AVIF",
}


def readable() -> tuple[Mime, ...]:
    """The types of pictures that this machine reads, for the hello; a build of Pillow may lack AVIF."""
    usual: tuple[Mime, ...] = ("image/webp", "image/jpeg", "image/png")
    return (*usual, "image/avif") if features.check("avif") else usual


def decode_source(picture: bytes, mime: str, size: int) -> Image:
    """Decode a source picture to uint8 RGB [P,P,3], P = size or twice that.

    The header is read and must name the announced type and exactly one of these sizes before a pixel is decoded, so
    that a few bytes cannot become gigabytes. Raises SourceError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(picture), formats=[FORMATS[mime]]) as image:
                if image.size not in ((size, size), (2 * size, 2 * size)):
                    width, height = image.size
                    raise SourceError(
                        f"expected a source picture of {size}x{size} px or twice that, got {width}x{height}"
                    )
                return np.array(image.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise SourceError(f"expected a source picture in {mime}, got something else") from None
    except (OSError, ValueError, SyntaxError, KeyError, EOFError) as error:  # Pillow's ways to say that it is damaged
        raise SourceError(f"expected a whole source picture in {mime}, got a damaged one: {error}") from None


class SourceCache:
    """A folder of source pictures by their hash, bounded in number."""

    def __init__(self, folder: Path, most_files: int) -> None:
        self._folder = folder
        self._most_files = most_files

    def find(self, sha256: str) -> bytes | None:
        """Return the picture with this hash (64 hex digits, checked by the caller), or None. A damaged one is none."""
        path = self._folder / sha256
        try:
            picture = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return picture if hashlib.sha256(picture).hexdigest() == sha256 else None

    def keep(self, picture: bytes) -> None:
        """Keep a picture; the one used longest ago goes where there are too many. A full disk is no error."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self._folder / f".{os.getpid()}.part"
            part.write_bytes(picture)
            part.replace(self._folder / hashlib.sha256(picture).hexdigest())
            for old in self._by_age()[: -self._most_files]:
                old.unlink(missing_ok=True)
        except OSError:
            return

    def _by_age(self) -> list[Path]:
        pictures = [path for path in self._folder.iterdir() if len(path.name) == 64]
        return sorted(pictures, key=lambda path: path.stat().st_mtime)
