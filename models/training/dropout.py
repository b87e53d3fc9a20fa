"""Keypoint dropout (FV2V C.2): the model learns to do with a prefix of the ordered keypoints."""

import torch
from torch import Generator, Tensor

from models.networks import Keypoints


def drop_tail(placed: Keypoints, kept: Tensor) -> Keypoints:
    """Let all keypoints from number kept [B] on go without their delta, as when only a prefix of delta is sent.

    They follow the head: x = exp(t_z) R x_c + (t_x, t_y, 0), which the receiver knows from pose and x_c alone.
    """
    dropped = torch.arange(placed.x.shape[1], device=placed.x.device) >= kept.to(placed.x.device)[:, None]
    gone = placed.delta * dropped[..., None]
    return placed._replace(x=placed.x - placed.t[:, 2].exp()[:, None, None] * gone, delta=placed.delta - gone)


def draw_kept(number: int, keypoints: int, largest: float, generator: Generator) -> Tensor:
    """How many keypoints each of `number` samples keeps: uniform from (1 - largest) of them to all."""
    fewest = keypoints - int(largest * keypoints)
    return torch.randint(fewest, keypoints + 1, (number,), generator=generator)
