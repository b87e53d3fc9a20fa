"""FID (Heusel et al. 2017) with the network of its authors, from the extra `fid`; its weights are the user's to bring.

The file is that of torch-fidelity and pytorch-fid, 95,628,359 B, and known by its sha256. It is a pickle: nothing but
tensors is read of it, and only after the sha256 was compared. FID of a few hundred pictures compares within one
report, not with papers, which have ten thousand.
"""

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from replay.compare.clip import Picture
from replay.errors import CompareError

FILE: Final = "weights-inception-2015-12-05-6726825d.pth"
SHA256: Final = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
WHERE: Final = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/" + FILE
FEATURES: Final = 2048

Array = NDArray[np.float64]


class Inception:
    """InceptionV3's last pooled features [2048] of pictures.

    Raises CompareError where the extra is not installed or the weights are not the known ones.
    """

    def __init__(self, weights: Path) -> None:
        check_weights(weights)
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError:
            raise CompareError("expected torch-fidelity for FID, found none: pip install 'facewire[fid]'") from None
        with tempfile.NamedTemporaryFile(suffix=".pth") as file:
            # torch-fidelity unpickles whatever it is given, so it is given a file with nothing but the tensors in it
            torch.save(torch.load(weights, map_location="cpu", weights_only=True), file.name)
            self._network: Any = FeatureExtractorInceptionV3("fid", [str(FEATURES)], file.name)

    @torch.inference_mode()
    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """Features [2048] of a picture uint8 RGB [S,S,3]."""
        (features,) = self._network(torch.from_numpy(picture).permute(2, 0, 1)[None])
        return np.asarray(features[0].numpy(), np.float32)


@cache
def check_weights(path: Path) -> None:
    """Raise CompareError unless the file is the known one."""
    if not path.is_file():
        raise CompareError(f"{path}: expected the weights of FID's network, found no such file; they are at {WHERE}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise CompareError(f"{path}: expected sha256 {SHA256[:12]}..., got {found[:12]}...; they are at {WHERE}")


def frechet(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """FID of two sets of features [N,D], [M,D], N and M at least 2.

    The trace of the root of the covariances' product is the nuclear norm of an N x M matrix, so nothing D x D is made.
    """
    if min(len(a), len(b)) < 2:
        raise CompareError(f"expected at least two pictures on each side for FID, got {len(a)} and {len(b)}")
    (centre_a, spread_a), (centre_b, spread_b) = _centred(a), _centred(b)
    root = np.linalg.svd(spread_a @ spread_b.T, compute_uv=False).sum()
    trace = np.square(spread_a).sum() + np.square(spread_b).sum()
    return float(np.square(centre_a - centre_b).sum() + trace - 2 * root)


def _centred(features: NDArray[np.float32]) -> tuple[Array, Array]:
    """Mean [D], and rows [N,D] whose products sum to the covariance."""
    values = features.astype(np.float64)
    mean = values.mean(0)
    return mean, (values - mean) / np.sqrt(len(values) - 1)
