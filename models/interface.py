"""What renderer, codec, sender and receiver ask of the networks of any preset.

Once a source, both sides run `canonical` and the receiver `appearance`. Every frame `extractor` makes 3K+6 numbers of
the picture at the sender; at the receiver `place` makes keypoints of them, and `draw` the picture.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from models.geometry import HeadMotion, View
from models.presets import Config


class Extraction(NamedTuple):
    """motion of the frame; face_score [B] in [0,1]: how surely the crop holds one face at the right size."""

    motion: HeadMotion
    face_score: Tensor


class Keypoints(NamedTuple):
    """Keypoints x [B,K,3] with the pose they were placed by: R [B,3,3], t [B,3], and the expression delta [B,K,3]."""

    x: Tensor
    R: Tensor
    t: Tensor
    delta: Tensor


class Drawn(Protocol):
    """What `draw` gives: a picture, and whatever else training wants to see of it."""

    @property
    def image(self) -> Tensor:
        """The picture [B,3,S,S] in [0,1]."""


class FaceNetworks(nn.Module, ABC):
    """F, L, H, Δ, M, G of one preset. What `appearance` gives is held by the caller and handed back to `draw`."""

    config: Config
    # modules: each preset has its own kind
    appearance: Any  # F: s [B,3,S,S] -> what the receiver holds of it
    canonical: Any  # L: s -> x_c [B,K,3]
    extractor: Any  # H, Δ: image [B,3,S,S], x_c of the person's source image -> Extraction
    motion_field: Any  # M
    generator: Any  # G

    @abstractmethod
    def place(self, x_c: Tensor, motion: HeadMotion, view: View | None = None) -> Keypoints:
        """T: canonical keypoints [B,K,3] under a motion, seen from `view` (eq. 1, 3; R_u R_d, t_u + t_d)."""

    @abstractmethod
    def draw(self, source: Any, s: Keypoints, d: Keypoints) -> Drawn:
        """M and G: the picture of the driving keypoints d from a source and its keypoints s."""
