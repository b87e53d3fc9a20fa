"""What a replay came to, in 64 hexadecimal digits: equal on every run with one file, one model and one machine."""

import hashlib

from receiver.show import Image


class PictureDigest:
    """SHA-256 over all pictures and their times, in order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, image: Image, time_s: float) -> None:
        """Take a picture uint8 RGB [H,W,3] that is shown at a time."""
        head = (round(1000 * time_s), *image.shape)
        self._digest.update(b"".join(number.to_bytes(8, "big") for number in head))
        self._digest.update(image.tobytes())

    @property
    def sha256(self) -> str:
        """Of what was added so far."""
        return self._digest.hexdigest()
