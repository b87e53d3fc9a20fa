"""The smallest of AVIF, WebP and JPEG that shows a crop as well as WebP of a set quality does.

"As well" is the SSIM of brightness, and each format's quality is searched for that reaches it. At 256 px AVIF takes
11 % less than WebP and JPEG 39 % more, at 512 px AVIF takes 29 % less (`python -m benchmarks.source_formats`).
"""

import io
from collections.abc import Collection
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import features
from torchmetrics.functional.image import structural_similarity_index_measure as ssim

from sender.camera import Image
from signaling.control_messages import Mime

MOST_BYTES: Final = 25_000
"""Of a picture: 7 s of the whole budget of a call. One that needs more is shown less well."""
QUALITIES: Final = range(24, 100, 3)
"""That are tried. Finer steps differ by less than two crops of one person do."""
LOWER: Final = 0.8
"""What the quality is multiplied by as long as the picture is too large."""
LEAST_QUALITY: Final = 20


class _Format(NamedTuple):
    """Pillow's name, and what else it is told."""

    name: str
    options: dict[str, Any]


_FORMATS: Final[dict[Mime, _Format]] = {
    # Slower than 6 saves another tenth for four times the time, which a call has no core to spare for.
    "image/avif": _Format("AVIF", {"speed": 6, "max_threads": 1}),
    "image/webp": _Format("WEBP", {"method": 6}),
    "image/jpeg": _Format("JPEG", {"optimize": True, "progressive": True}),
}


class Encoded(NamedTuple):
    """A picture file, its type, and the SSIM of its brightness with the crop's."""

    picture: bytes
    mime: Mime
    likeness: float


def writable() -> tuple[Mime, ...]:
    """The formats that this machine writes; a build of Pillow may lack AVIF."""
    return tuple(mime for mime in _FORMATS if mime != "image/avif" or features.check("avif"))


def encode_best(crop: Image, mimes: Collection[Mime], quality: int, most_bytes: int = MOST_BYTES) -> Encoded:
    """Encode a crop uint8 RGB [S,S,3] for somebody who reads `mimes`, as well as WebP of `quality` (1 to 100) shows it.

    Where nothing of that fits into `most_bytes` the quality falls until it does, or is LEAST_QUALITY. Somebody who
    reads none of ours gets WebP. Blocks: 0.6 s at 256 px, 2 s at 512.
    """
    wanted = [mime for mime in writable() if mime in mimes] or ["image/webp"]
    while True:
        webp = _encode(crop, "image/webp", quality)
        found = [webp] if "image/webp" in wanted else []
        found += [_as_good(crop, mime, webp.likeness) for mime in wanted if mime != "image/webp"]
        best = min(found, key=lambda encoded: len(encoded.picture))
        if len(best.picture) <= most_bytes or quality <= LEAST_QUALITY:
            return best
        quality = max(LEAST_QUALITY, round(LOWER * quality))


def _as_good(crop: Image, mime: Mime, likeness: float) -> Encoded:
    """The smallest file of a type that is as like the crop; the best one where none is."""
    low, high = 0, len(QUALITIES) - 1
    best = None
    while low <= high:
        middle = (low + high) // 2
        encoded = _encode(crop, mime, QUALITIES[middle])
        if encoded.likeness >= likeness:
            best, high = encoded, middle - 1
        else:
            low = middle + 1
    return best or _encode(crop, mime, QUALITIES[-1])


def _encode(crop: Image, mime: Mime, quality: int) -> Encoded:
    file, (name, options) = io.BytesIO(), _FORMATS[mime]
    Pillow.fromarray(crop).save(file, name, quality=quality, **options)
    with Pillow.open(io.BytesIO(file.getvalue())) as seen:
        likeness = ssim(_brightness(seen), _brightness(Pillow.fromarray(crop)), data_range=1.0)
    return Encoded(file.getvalue(), mime, float(torch.as_tensor(likeness)))


def _brightness(picture: Pillow.Image) -> torch.Tensor:
    """Luma [1,1,H,W] in [0,1]."""
    return torch.from_numpy(np.array(picture.convert("L"), np.float32))[None, None] / 255
