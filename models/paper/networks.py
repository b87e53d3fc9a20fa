"""F, L, H, Δ, M, G of the `paper` preset wired together (FV2V fig. 3 and 5)."""

import torch
from torch import Tensor, nn

from models.geometry import (
    HeadMotion,
    View,
    compose_jacobians,
    compose_keypoints,
    offset_pose,
    relative_jacobian,
    rotation_matrix,
)
from models.head_pose import HeadPose
from models.interface import Extraction, FaceNetworks, Keypoints
from models.paper.appearance import AppearanceExtractor, Volume
from models.paper.canonical import CanonicalKeypoints
from models.paper.config import PaperConfig
from models.paper.deformation import Deformation
from models.paper.generator import Drawing, Generator
from models.paper.motion_field import MotionField, VolumeField
from models.paper.trunk import PoseTrunk
from models.precision import full_precision


class MotionExtractor(nn.Module):
    """H and Δ: one trunk, linear layers for 3 x 66 angle bins, t and delta; and how surely there is a face.

    image [B,3,S,S] in [0,1] -> `Extraction`. x_c is not looked at: delta is read off the picture alone.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        features = config.trunk_widths[-1]
        self.trunk = PoseTrunk(config)
        self.head_pose = HeadPose(features)
        self.deformation = Deformation(features, config.keypoints)
        self.face = nn.Linear(features, 1)  # not in the paper: the sender has to know

    def forward(self, image: Tensor, x_c: Tensor | None = None) -> Extraction:
        features = self.trunk(image)
        return Extraction(self.read(features), self.face(features)[:, 0].float().sigmoid())

    def read(self, features: Tensor) -> HeadMotion:
        """Motion from trunk features [B,F]."""
        yaw_deg, pitch_deg, roll_deg, t = self.head_pose(features)
        return HeadMotion(yaw_deg, pitch_deg, roll_deg, t, self.deformation(features))


class DirectExtractor(nn.Module):
    """The ablation without H and Δ (FV2V B.3): L finds the keypoints of every frame.

    They travel as delta = x - x_c under no rotation and no translation, so the wire stays what it is. Nothing is known
    of a head pose, and nothing of whether there is a face: the score is always 1.
    """

    def __init__(self, canonical: CanonicalKeypoints) -> None:
        super().__init__()
        self._canonical = (canonical,)  # in a tuple: the weights are L's and are stored once

    def forward(self, image: Tensor, x_c: Tensor) -> Extraction:
        delta = self._canonical[0](image) - x_c
        zero = delta.new_zeros(len(delta))
        motion = HeadMotion(zero, zero, zero, delta.new_zeros(len(delta), 3), delta)
        return Extraction(motion, torch.ones_like(zero))


class PaperNetworks(FaceNetworks):
    """All networks of one `paper` model, random until weights are loaded."""

    config: PaperConfig

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        self.canonical = CanonicalKeypoints(config)  # L
        self.extractor = DirectExtractor(self.canonical) if config.direct else MotionExtractor(config)  # H, Δ
        self.appearance = AppearanceExtractor(config)  # F
        self.motion_field = MotionField(config)  # M
        self.generator = Generator(config)  # G

    @full_precision
    def place(self, x_c: Tensor, motion: HeadMotion, view: View | None = None) -> Keypoints:
        """T to the letter: x = R x_c + t + delta (eq. 1, 3), the viewer's R_u R_d and t_u + t_d before it."""
        R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        t, delta = motion.t, motion.delta
        if view is not None:
            R_view, t = offset_pose(view, R, t)
            # delta is added after R, so the viewer's turn carries it along
            delta = delta @ (R_view @ R.mT).mT
            R = R_view
        return Keypoints(compose_keypoints(x_c, R, t, delta), R, t, delta)

    def field(self, source: Volume, s: Keypoints, d: Keypoints, J_c: Tensor | None = None) -> VolumeField:
        """M for source keypoints s and driving keypoints d of one person with Jacobians J_c [B,K,3,3].

        J_s J_d^-1 = R_s J_c J_c^-1 R_d^T (eq. 2, 4, 6): J_c cancels, so a receiver, which does without, gives None.
        """
        return self.motion_field(source.features, s.x, d.x, _relative(s.R, d.R, J_c))  # type: ignore[no-any-return]

    def draw(self, source: Volume, s: Keypoints, d: Keypoints, J_c: Tensor | None = None) -> Drawing:
        """M and G: the picture of the driving keypoints d from a source held as `Volume` and its keypoints s."""
        return self.generator(source, self.field(source, s, d, J_c))  # type: ignore[no-any-return]


@full_precision
def _relative(R_s: Tensor, R_d: Tensor, J_c: Tensor | None) -> Tensor:
    """J_s J_d^-1 [B,3,3], or [B,K,3,3] with Jacobians."""
    if J_c is None:
        return R_s @ R_d.mT
    return relative_jacobian(compose_jacobians(J_c, R_s), compose_jacobians(J_c, R_d))
