"""What other methods send a frame (FV2V Table 5), made of landmarks in our own clips, so that one coder codes them all.

few-shot vid2vid  126 landmarks (x, y) as fp16: 504 B. Outline, brows, lids, lips of MediaPipe's mesh, in whole pixels
                  of a 512 px picture, as the landmark detector of that method gives them.
FOMM              10 keypoints (x, y), each with a Jacobian of 2x2, as float32: 240 B. Keypoints are the first ten of
                  ours; a Jacobian is the affine map that takes the neutral face's landmarks around a keypoint to where
                  they are now, by least squares.

The coder is that of `paper` (FV2V C.1): a static table a byte position, counted on the train clips, one flush a frame.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codec.symbols import Model, SymbolWriter, build_model, integer_shares
from codec.tables import ALPHABET
from models.keypoints import LANDMARKS
from models.regions import EYE_LEFT, EYE_RIGHT, FACE, MOUTH
from models.training.dataset_index import Track

FOMM_KEYPOINTS: Final = 10
NEIGHBOURS: Final = 24
"""Landmarks that a Jacobian is fitted to."""
FEW_SHOT_PX: Final = 512
_LIDS_AND_BROWS = EYE_LEFT[:16] + EYE_LEFT[21:31] + EYE_RIGHT[:16] + EYE_RIGHT[21:31]
_OUTLINE = tuple(landmark for landmark in FACE[:36] if landmark not in (109, 338))  # 34, so that all are 126
FEW_SHOT_LANDMARKS: Final = MOUTH + _LIDS_AND_BROWS + _OUTLINE

Vectors = NDArray[np.float32]


class Rival(NamedTuple):
    """A method: the type in which its numbers travel, and how to make them of landmarks."""

    name: str
    number_type: str
    numbers: Callable[[Track], Vectors]


def coded_sizes(rival: Rival, train: Sequence[Track], tracks: Sequence[Track]) -> tuple[int, list[int]]:
    """Bytes of a frame before coding, and after coding of each of the frames, with tables counted on `train`."""
    counted = _byte_rows(rival, train)
    counts = np.stack([np.bincount(column, minlength=ALPHABET) for column in counted.T])
    models = [build_model(row) for row in integer_shares(4 * counts + 1)]  # as `ByteTables.fit`
    return len(models), [_coded_size(row, models) for row in _byte_rows(rival, tracks).tolist()]


def _byte_rows(rival: Rival, tracks: Sequence[Track]) -> NDArray[np.uint8]:
    """The bytes of all frames, a row each, high byte first."""
    numbers = np.concatenate([rival.numbers(track) for track in tracks])
    return np.ascontiguousarray(numbers.astype(rival.number_type)).view(np.uint8)


def _coded_size(symbols: Sequence[int], models: Sequence[Model]) -> int:
    writer = SymbolWriter()
    for symbol, model in zip(symbols, models, strict=True):
        writer.code(symbol, model)
    return len(writer.finish())


def fomm_numbers(track: Track) -> Vectors:
    """Keypoints and Jacobians of each frame with a face: [N,60], x, y, J_xx, J_xy, J_yx, J_yy of each keypoint."""
    seen = track.landmarks[track.detected][..., :2].astype(np.float64)  # [N,478,2]
    neutral = track.neutral[:, :2].astype(np.float64)
    parts = []
    for landmark in LANDMARKS[:FOMM_KEYPOINTS]:
        near = np.argsort(np.linalg.norm(neutral - neutral[landmark], axis=1))[1 : NEIGHBOURS + 1]
        around, now = neutral[near] - neutral[landmark], seen[:, near] - seen[:, landmark, None]
        jacobian = np.einsum("nmi,jm->nij", now, np.linalg.pinv(around))  # [N,2,2]
        parts.append(np.concatenate((seen[:, landmark], jacobian.reshape(-1, 4)), 1))
    return np.concatenate(parts, 1).astype(np.float32)


def few_shot_numbers(track: Track) -> Vectors:
    """Landmarks of each frame with a face, in whole pixels: [N,252]."""
    seen = track.landmarks[track.detected][:, FEW_SHOT_LANDMARKS, :2]
    return np.round((seen + 1) * FEW_SHOT_PX / 2).reshape(len(seen), -1).astype(np.float32)


RIVALS: Final = (
    Rival("few-shot vid2vid", ">f2", few_shot_numbers),
    Rival("FOMM", ">f4", fomm_numbers),
)
