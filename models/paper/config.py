"""Sizes of the `paper` networks (FV2V fig. 12), with the ablations of its Table 4 as options; presets by name."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PaperConfig:
    """Sizes of F, L, H, Δ, M and G; the volume f_s is [volume_channels, depth, grid, grid] at every picture size.

    Left open by the paper, settled here: at 512 px the one more block of F and of G lies outside, next to the picture,
    at half the width of the next one, so that weights learned at 256 px fit; L and H + Δ always see the picture
    reduced to `canonical_size` and `trunk_size`.
    """

    preset: str = "paper"
    size: int = 256
    keypoints: int = 20
    grid: int = 64
    widths: tuple[int, ...] = (256, 128, 64, 32)  # F and G in two dimensions: at grid, 2 grid, 4 grid, 8 grid
    volume_channels: int = 32
    depth: int = 16
    volume_blocks: int = 6
    # L: widths of the encoder, each after a halving; the 3-D decoder mirrors them down to half the first
    canonical_size: int = 64
    canonical_widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    temperature: float = 0.1  # of the softmax that makes keypoints of heat
    # H + Δ: ResNet-50-like; widths and residual blocks after the one that changes the size
    trunk_size: int = 256
    trunk_stem: int = 64
    trunk_widths: tuple[int, int, int, int] = (256, 512, 1024, 2048)
    trunk_blocks: tuple[int, int, int, int] = (3, 3, 5, 2)
    # M: a U-Net; widths at 1 (what the decoder ends with), 1/2, 1/4, ... of the grid
    motion_widths: tuple[int, ...] = (32, 64, 128, 256, 512, 1024)
    mask_kernel: int = 7
    summary_channels: int = 4
    heatmap_sigma: float = 0.1
    # G
    generator_blocks: int = 6
    spade: bool = False  # the decoder of the public checkpoints instead of the paper's
    spade_width: int = 512
    spade_hidden: int = 128
    # FV2V Table 4
    jacobians: bool = True
    direct: bool = False  # L finds the keypoints of every frame itself: no H, no Δ
    warp_2d: bool = False  # keypoints, flow and features in the picture plane

    def __post_init__(self) -> None:
        if self.size < 2 * self.grid or self.grid << self.blocks != self.size:
            raise ValueError(f"size: expected the grid {self.grid} times a power of two, got {self.size}")
        if len(self.widths) <= self.blocks:
            raise ValueError(f"widths: expected {self.blocks + 1} for size {self.size}, got {len(self.widths)}")
        if self.keypoints < 1:
            raise ValueError(f"keypoints: expected at least 1, got {self.keypoints}")
        if self.direct and self.jacobians:
            # the wire carries 3K+6 numbers a frame; Jacobians of the driving frame are not among them
            raise ValueError("direct: expected jacobians=False, since nothing cancels them and motion carries none")
        for name, side, halvings in (
            ("grid", self.grid, len(self.motion_widths) - 1),
            ("canonical_size", self.canonical_size, len(self.canonical_widths)),
            ("trunk_size", self.trunk_size, 5),
        ):
            if side % (1 << halvings):
                raise ValueError(f"{name}: expected a multiple of {1 << halvings}, got {side}")

    @property
    def blocks(self) -> int:
        """Down blocks of F and up blocks of G: 2 at 256 px, 3 at 512 px."""
        return (self.size // self.grid).bit_length() - 1

    @property
    def dimensions(self) -> int:
        """Of the features that are warped: 3, or 2 in the ablation."""
        return 2 if self.warp_2d else 3

    @property
    def flat_channels(self) -> int:
        """Channels of the warped features once they are a plane again: what G begins with."""
        return self.widths[0] if self.warp_2d else self.volume_channels * self.depth


PAPER = PaperConfig()
PAPER_TINY = PaperConfig(
    preset="paper-tiny",
    size=64,
    grid=16,
    widths=(16, 8, 8, 4),
    volume_channels=4,
    depth=4,
    volume_blocks=1,
    canonical_size=16,
    canonical_widths=(8, 8, 16),
    trunk_size=64,
    trunk_stem=8,
    trunk_widths=(16, 32, 32, 32),
    trunk_blocks=(1, 1, 1, 1),
    motion_widths=(8, 8, 16),
    mask_kernel=3,
    summary_channels=1,
    generator_blocks=1,
    spade_width=16,
    spade_hidden=8,
)
PAPER_PRESETS = {
    config.preset: config
    for config in (
        PAPER,
        replace(PAPER, preset="paper-512", size=512),
        replace(PAPER, preset="paper-spade", spade=True),
        replace(PAPER, preset="paper-direct", direct=True, jacobians=False),
        replace(PAPER, preset="paper-2d", warp_2d=True),
        replace(PAPER, preset="paper-k10", keypoints=10),
        replace(PAPER, preset="paper-k15", keypoints=15),
        PAPER_TINY,
    )
}
