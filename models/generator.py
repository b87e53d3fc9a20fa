"""G: the picture from warped features; detail is copied, not synthesised (`compact`)."""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.appearance import Appearance
from models.blocks import SLOPE, Residual, activate, conv, pixel_norm
from models.config import ModelConfig
from models.expression_maps import CHANNELS, expression_maps
from models.motion_field import Field
from models.warp import warp_plane, warp_volume


class Picture(NamedTuple):
    """image y [B,3,S,S] in [0,1]; warped source image [B,3,S,S] and the blend mask [B,1,S,S] it came in with.

    S is the side of the source image as it is held, twice that of G's own pictures where the viewer wants them large.
    """

    image: Tensor
    warped: Tensor
    blend: Tensor
    flow: Tensor  # [B,2,S/4,S/4] of the warp, in crop units; S of G's own pictures


class Generator(nn.Module):
    """Warped appearance, the field of M and the driving keypoints x_d [B,K,3] -> `Picture`.

    The expression code [B,6K] (delta of the driving frame, and its change from the source's) modulates the first
    residual blocks: lids and the inside of a mouth that the source never showed have to come from somewhere.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        eighth, quarter, half = config.generator_widths
        self.config = config
        self.enter = conv(config.volume_channels * config.depth, eighth, 1)
        self.mix = conv(eighth + config.motion_features, eighth)
        modulate = nn.Linear(config.expression_features, 2 * eighth * config.generator_blocks[0])
        nn.init.normal_(modulate.weight, std=0.01)
        nn.init.zeros_(modulate.bias)
        self.expression = nn.Sequential(
            nn.Linear(6 * config.keypoints, config.expression_features), nn.LeakyReLU(SLOPE), modulate
        )
        self.blocks_eighth = nn.ModuleList(Residual(eighth) for _ in range(config.generator_blocks[0]))
        self.up_quarter = conv(eighth, 4 * quarter, 1)
        self.mix_quarter = conv(quarter + config.skip_quarter + CHANNELS, quarter)
        self.blocks_quarter = nn.Sequential(*(Residual(quarter) for _ in range(config.generator_blocks[1])))
        self.correct = conv(quarter, 2, gain=0.01)
        self.up_half = conv(quarter, 4 * half, 1)
        self.mix_half = conv(half + config.skip_half + CHANNELS, half)
        self.blocks_half = nn.Sequential(*(Residual(half) for _ in range(config.generator_blocks[2])))
        # It starts by adding nothing. Random colours would have to be unlearned first, and the quickest way to that is
        # to drive every layer below into the dead half of its activation, from where none comes back.
        self.up_full = conv(half, 16, gain=0.0)

    def forward(self, source: Appearance, field: Field, expression: Tensor, x_d: Tensor) -> Picture:
        maps_half = expression_maps(x_d, source.half.shape[-1])
        maps_quarter = functional.avg_pool2d(maps_half, 2)
        volume = warp_volume(source.volume, field.flow)  # [B,C,D,h,w]
        x = self.enter(activate(volume.flatten(1, 2))) * field.occlusion
        x = pixel_norm(self.mix(activate(torch.cat((x, field.features), 1))))
        code = self.expression(expression * 10.0)[:, :, None, None]  # deltas are a few hundredths
        codes = code.chunk(2 * len(self.blocks_eighth), 1)
        for block, scale, shift in zip(self.blocks_eighth, codes[::2], codes[1::2], strict=True):
            x = block(x, scale, shift)
        x = functional.pixel_shuffle(self.up_quarter(activate(x)), 2)
        warped_quarter = warp_plane(source.quarter, field.visible_flow)
        x = pixel_norm(self.mix_quarter(activate(torch.cat((x, warped_quarter, maps_quarter), 1))))
        x = self.blocks_quarter(x)
        # lids and lips are finer than M's masks: G may correct the flow at the same grid
        correction = torch.tanh(self.correct(activate(x)).float()) * self.config.flow_correction
        flow = field.visible_flow + correction
        x = functional.pixel_shuffle(self.up_half(activate(x)), 2)
        x = pixel_norm(self.mix_half(activate(torch.cat((x, warp_plane(source.half, flow), maps_half), 1))))
        x = self.blocks_half(x)
        x = self.up_full(activate(x)).float()  # [B,16,S/2,S/2]: three colours and the mask, four sub-pixels each
        if 2 * x.shape[-1] != source.image.shape[-1]:  # the source is held at twice the size
            x = functional.pixel_shuffle(x, 2)
            x = functional.interpolate(x, source.image.shape[-2:], mode="bilinear", align_corners=False)
            x = functional.pixel_unshuffle(x, 2)
        warped = warp_plane(source.image, flow)
        # G's own colours are told as a difference from the warped source: told outright, they are worse than it
        # everywhere at first, the blend closes over them, and they are never learned
        difference, blend = x.unflatten(1, (4, 4)).split((3, 1), 1)
        blend = blend.sigmoid()
        added = torch.tanh(difference) * (1.0 - blend)
        image = warped + functional.pixel_shuffle(added.flatten(1, 2), 2)
        return Picture(image, warped, functional.pixel_shuffle(blend.flatten(1, 2), 2), flow)
