"""Whose face is it? Descriptors of dlib's face recognition network (99.4 % right on LFW; weights in the public domain),
from the extra `identity`. FV2V (Table 3) and SAP (AED, Table 2) have other recognition networks: thresholds and figures
compare within this project, not with theirs.

The face is laid upright by eye corners and nose from MediaPipe's landmarks, as dlib's own five points would.
"""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replay.errors import IdentityError

SAME_BELOW: Final = 0.6
"""Distance under which dlib takes two descriptors for the same person."""
FIVE_POINTS: Final = (263, 362, 33, 133, 2)
"""Outer and inner corner of the left eye, of the right eye, below the nose: MediaPipe's points in dlib's order."""
WEIGHTS: Final = "dlib_face_recognition_resnet_model_v1.dat"
SHA256: Final = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
HOW_TO_GET: Final = "pip install 'facewire[identity]'"

Image = NDArray[np.uint8]
Array = NDArray[np.float64]


class FaceRecogniser:
    """Descriptors [128] of faces; their Euclidean distance says how unlike two faces are."""

    def __init__(self) -> None:
        """Raises IdentityError where the extra is not installed, or its weights are not the known ones."""
        try:
            import dlib
        except ImportError:
            raise IdentityError(f"expected dlib for distances of identity, found none: {HOW_TO_GET}") from None
        self._dlib: Any = dlib
        self._network = dlib.face_recognition_model_v1(str(_weights()))

    def describe(self, picture: Image, points: Array) -> Array:
        """Descriptor [128] of the face at MediaPipe's landmarks [478,2 or 3] in px of an RGB picture [H,W,3].

        Without a face (NaN) it is NaN.
        """
        five = points[list(FIVE_POINTS), :2]
        if not np.isfinite(five).all():
            return np.full(128, np.nan)
        left, top = points[:, :2].min(0)
        right, bottom = points[:, :2].max(0)
        box = self._dlib.rectangle(*(round(float(side)) for side in (left, top, right, bottom)))
        parts = [self._dlib.point(round(float(x)), round(float(y))) for x, y in five]
        found = self._dlib.full_object_detection(box, parts)
        return np.asarray(self._network.compute_face_descriptor(np.ascontiguousarray(picture), found))


def distance(a: Array, b: Array) -> Array:
    """Distances of descriptors [..., 128]; NaN where either has no face."""
    return np.asarray(np.linalg.norm(a - b, axis=-1))


@cache
def _weights() -> Path:
    """The weights that the package brings. Raises IdentityError."""
    spec = importlib.util.find_spec("face_recognition_models")
    path = Path(spec.origin).parent / "models" / WEIGHTS if spec and spec.origin else None
    if path is None or not path.is_file():
        raise IdentityError(f"expected the weights of face_recognition_models, found none: {HOW_TO_GET}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise IdentityError(f"{path}: expected sha256 {SHA256[:12]}..., got {found[:12]}...: install it again")
    return path
