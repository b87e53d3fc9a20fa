"""Sizes of the networks, one frozen dataclass; presets by name."""

from dataclasses import dataclass, replace

from models.keypoints import LANDMARKS


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of F, L, H, Δ, M and G (`compact`: candidate F4 of the design, 2.5-D motion field).

    Pictures are [3,size,size]; the volume is [volume_channels, depth, size/8, size/8].
    """

    preset: str = "compact"
    size: int = 256
    keypoints: int = 20
    # H + Δ and L look at a small copy of the picture
    trunk_size: int = 128
    trunk_widths: tuple[int, int, int, int] = (24, 48, 96, 192)
    trunk_blocks: tuple[int, int, int] = (1, 2, 2)
    trunk_features: int = 256
    # Δ: patches of eyes, mouth and face, and the widths of their networks at 1/2, 1/4, 1/8
    patch_size: int = 64
    region_widths: tuple[int, int, int] = (16, 32, 64)
    # F: widths at size, 1/2, 1/4, 1/8
    appearance_widths: tuple[int, int, int, int] = (24, 48, 96, 192)
    appearance_blocks: int = 1
    volume_channels: int = 16
    volume_blocks: int = 2
    depth: int = 8
    depth_extent: float = 0.6
    skip_half: int = 12  # channels handed on at size/2
    skip_quarter: int = 24  # channels handed on at size/4
    summary_channels: int = 4
    # M: a 2-D U-Net at size/8
    motion_widths: tuple[int, int, int, int] = (48, 72, 96, 120)
    motion_features: int = 32  # handed on to G
    fine_features: int = 24  # of M at size/4, where the flow of what is seen is made
    # reach of a keypoint, over the head's scale exp(t_z): of one that stands for a region (cheek, chin), of one on a
    # lip or a lid, and how far from all of them the background begins
    heatmap_sigma: float = 0.14
    expressive_sigma: float = 0.07
    background_radius: float = 0.8
    vacated: float = 20.0  # how much less likely the background is where the source shows the head (log)
    # G: widths at size/8, 1/4, 1/2
    generator_widths: tuple[int, int, int] = (96, 48, 24)
    generator_blocks: tuple[int, int, int] = (3, 1, 1)
    expression_features: int = 64
    flow_correction: float = 0.1  # largest correction of the flow that G may add, in crop units
    # patches of mouth and eyes that are gone over last: their sides, and widths at 1/2, 1/4, 1/8
    refiner_mouth: int = 64
    refiner_eye: int = 48
    refiner_widths: tuple[int, int, int] = (24, 48, 64)

    def __post_init__(self) -> None:
        if self.size % 64:
            raise ValueError(f"size: expected a multiple of 64, got {self.size}")
        if self.keypoints != len(LANDMARKS):
            raise ValueError(f"keypoints: expected {len(LANDMARKS)}, one a landmark, got {self.keypoints}")

    @property
    def grid(self) -> int:
        """Side of the volume and of M's maps: size/8."""
        return self.size // 8


COMPACT = ModelConfig()
TINY = replace(
    COMPACT,
    preset="tiny",
    size=64,
    trunk_size=32,
    trunk_widths=(8, 8, 8, 8),
    trunk_blocks=(1, 1, 1),
    trunk_features=16,
    patch_size=16,
    region_widths=(8, 8, 8),
    appearance_widths=(8, 8, 8, 16),
    appearance_blocks=1,
    volume_channels=4,
    volume_blocks=1,
    depth=4,
    skip_half=4,
    skip_quarter=4,
    motion_widths=(8, 8, 8, 8),
    motion_features=8,
    fine_features=8,
    generator_widths=(16, 8, 8),
    generator_blocks=(1, 1, 1),
    expression_features=8,
    refiner_mouth=16,
    refiner_eye=16,
    refiner_widths=(8, 8, 8),
)
PRESETS = {config.preset: config for config in (COMPACT, TINY)}
