"""F, L, H, Δ, M, G of `compact` and `tiny` wired together."""

import torch
from torch import Tensor, nn

from models.appearance import Appearance, AppearanceExtractor
from models.blocks import FaceTrunk
from models.canonical import CanonicalKeypoints
from models.config import ModelConfig
from models.deformation import Deformation
from models.generator import Generator, Picture
from models.geometry import (
    HeadMotion,
    View,
    compose_scaled_keypoints,
    offset_pose,
    relative_similarity,
    rotation_matrix,
)
from models.head_pose import HeadPose
from models.interface import Extraction, FaceNetworks, Keypoints
from models.motion_field import Field, MotionField
from models.refiner import Refiner

__all__ = ["Extraction", "Keypoints", "MotionExtractor", "Networks"]


class MotionExtractor(nn.Module):
    """H and Δ on one shared trunk, and how sure they are of a face.

    image [B,3,S,S] in [0,1] and x_c [B,K,3], the canonical keypoints of the person's source image -> `Extraction`.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        features = config.trunk_features
        self.trunk = FaceTrunk(config.trunk_size, config.trunk_widths, config.trunk_blocks, features)
        self.head_pose = HeadPose(features)
        self.deformation = Deformation(config)
        self.face = nn.Linear(features, 1)

    def forward(self, image: Tensor, x_c: Tensor) -> Extraction:
        features = self.trunk(image)
        yaw_deg, pitch_deg, roll_deg, t = self.head_pose(features)
        R = rotation_matrix(yaw_deg, pitch_deg, roll_deg)
        delta = self.deformation(features, image, R, t, x_c)
        motion = HeadMotion(yaw_deg, pitch_deg, roll_deg, t, delta)
        return Extraction(motion, self.face(features)[:, 0].float().sigmoid())


class Networks(FaceNetworks):
    """All networks of one `compact` model, random until weights are loaded."""

    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        trunk = FaceTrunk(config.trunk_size, config.trunk_widths, config.trunk_blocks, config.trunk_features)
        self.canonical = CanonicalKeypoints(trunk, config.trunk_features, config.keypoints)  # L
        self.extractor = MotionExtractor(config)  # H, Δ
        self.appearance = AppearanceExtractor(config)  # F
        self.motion_field = MotionField(config)  # M
        self.generator = Generator(config)  # G
        self.refiner = Refiner(config)  # its last step, at mouth and eyes

    def place(self, x_c: Tensor, motion: HeadMotion, view: View | None = None) -> Keypoints:
        """T: canonical keypoints [B,K,3] under a motion, seen from `view` (eq. 1, 3; R_u R_d, t_u + t_d)."""
        R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        t, delta = motion.t, motion.delta
        if view is not None:
            R_view, t = offset_pose(view, R, t)
            # delta is added after R, so the viewer's turn carries it along
            delta = delta @ (R_view @ R.mT).mT
            R = R_view
        return Keypoints(compose_scaled_keypoints(x_c, R, t, delta), R, t, delta)

    def field(self, source: Appearance, s: Keypoints, d: Keypoints) -> Field:
        """M for source keypoints s and driving keypoints d."""
        return self.motion_field(source.summary, s.x, d.x, relative_similarity(s.R, s.t, d.R, d.t), d.t[:, 2].exp())  # type: ignore[no-any-return]

    def sketch(self, source: Appearance, s: Keypoints, d: Keypoints) -> Picture:
        """M and G up to their last step: mouth and eyes as they come out of the whole picture."""
        # expressions compared in the head's own frame, or a turn of the head would look like a grimace
        delta_s, delta_d = s.delta @ s.R, d.delta @ d.R
        expression = torch.cat((delta_d, delta_d - delta_s), 1).flatten(1)
        return self.generator(source, self.field(source, s, d), expression, d.x)  # type: ignore[no-any-return]

    def draw(self, source: Appearance, s: Keypoints, d: Keypoints) -> Picture:
        """M and G: the picture of the driving keypoints d from a source held as `Appearance` and keypoints s."""
        picture = self.sketch(source, s, d)
        return picture._replace(image=self.refiner(picture.image, source.image, s, d))
