"""Pictures as cameras make them: badly framed, blurred, noisy, covered, or of no face at all."""

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor

from models.training.data import Change, Store, draw_change, warp_image


def wide_change(number: int, rng: Generator, device: torch.device) -> Change:
    return draw_change(number, rng, roll_deg=15.0, log_scale=0.18, shift=0.12, colour=0.2, device=device)


def spoil(image: Tensor, rng: Generator) -> Tensor:
    """What cameras do: blur, noise, a covered patch; each on a third of the pictures or so. [B,3,S,S]."""
    batch, _, size, _ = image.shape
    chosen = torch.rand(3, batch, generator=rng).lt(0.3).float().to(image.device)[..., None, None, None]
    small = functional.interpolate(functional.avg_pool2d(image, 2), (size, size), mode="bilinear", align_corners=False)
    image = torch.lerp(image, small, chosen[0])
    noise = torch.randn(batch, 1, size, size, generator=rng).to(image.device)
    image = image + chosen[1] * 0.04 * noise
    axis = torch.arange(size, device=image.device)
    corner = torch.randint(0, size, (4, batch, 1), generator=rng).to(image.device)
    reach = size // 4
    across = (axis >= corner[0]) & (axis < corner[0] + corner[1] % reach)
    down = (axis >= corner[2]) & (axis < corner[2] + corner[3] % reach)
    patch = (across[:, None] & down[:, :, None])[:, None].float() * chosen[2]
    return (image * (1.0 - patch) + 0.5 * patch).clamp(0.0, 1.0)


def without_face(store: Store, number: int, size: int, rng: Generator) -> Tensor:
    """Pictures [number,3,size,size] that hold no face, or one far too large, too small or out of place."""
    clips = store.draw_clips(number, rng, 0.5)
    image = store.batch(clips, store.draw_frames(clips, rng)).image
    device = image.device
    change = wide_change(number, rng, device)
    kind = torch.randint(0, 3, (number,), generator=rng).to(device)
    log_scale = torch.rand(number, generator=rng).to(device)
    away = torch.rand(number, generator=rng).to(device) * 2.0 * torch.pi
    # 0: a small part of the picture, 1: a face of less than half the size, 2: a face more than half out of the crop
    log_scale = torch.stack((1.1 + 0.8 * log_scale, -0.8 - 0.8 * log_scale, log_scale * 0.4), 1)
    reach = torch.stack((torch.full_like(away, 2.0), torch.full_like(away, 0.5), torch.full_like(away, 1.1)), 1)
    pick = kind[:, None]
    reach = reach.gather(1, pick)
    shift = torch.stack((away.cos(), away.sin()), 1) * reach
    change = change._replace(log_scale=log_scale.gather(1, pick)[:, 0], shift=shift)
    return warp_image(image, change, size)
