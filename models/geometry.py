"""Head pose, keypoints and flows: with its twin in numpy, rotations.py, the only place with sin and cos.

Conventions. The crop is [-1,1] in x (right) and y (down); z is in the same unit and negative towards the camera.
Rotations act on columns, ``x = R x_c``; in batches ``x_c @ R.mT``. The Euler order is written once, here:

    R = R_z(roll) R_y(yaw) R_x(pitch)

    yaw > 0    the nose (0, 0, -1) moves to the right of the picture (+x)
    pitch > 0  the nose moves up (-y)
    roll > 0   the head leans clockwise as the viewer sees it

Degrees at every interface (``_deg``), radians only inside this file (``_rad``).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from models.precision import full_precision

BIN_COUNT = 66
BIN_WIDTH_DEG = 3.0


class HeadMotion(NamedTuple):
    """Motion of a batch of frames: what H and Δ say (Wang et al. 2021, sec. 3.1).

    yaw_deg, pitch_deg, roll_deg [B] in degrees; t [B,3], t_x and t_y in crop units, t_z depth (`paper`) or
    log-scale (`compact`); delta [B,K,3] expression deformation, added after the rotation.
    """

    yaw_deg: Tensor
    pitch_deg: Tensor
    roll_deg: Tensor
    t: Tensor
    delta: Tensor


def fill_tail(motion: HeadMotion, keypoints: int) -> HeadMotion:
    """Motion of all K keypoints where delta [B,n,3] came for a prefix of them: the tail follows the head, delta = 0, as
    the networks learned it (`models/training/dropout.py`). Raises ValueError for more than K.
    """
    came = motion.delta.shape[1]
    if came > keypoints:
        raise ValueError(f"delta: expected at most {keypoints} keypoints, got {came}")
    if came == keypoints:
        return motion
    tail = motion.delta.new_zeros(len(motion.delta), keypoints - came, 3)
    return motion._replace(delta=torch.cat((motion.delta, tail), 1))


class View(NamedTuple):
    """Pose offset R_u, t_u chosen by the viewer (FV2V sec. 4.2): angles [B] in degrees, t [B,3].

    R_u turns the head in the picture's axes, about the head's own centre. t_u is added to t_d: t_x (right) and t_y
    (down) in crop units, so 2 is the picture's width; t_z is log-scale in `compact` (0.1: 10 % larger), depth in
    `paper`.
    """

    yaw_deg: Tensor
    pitch_deg: Tensor
    roll_deg: Tensor
    t: Tensor


def bin_centres_deg(count: int = BIN_COUNT, width_deg: float = BIN_WIDTH_DEG) -> Tensor:
    """Centres [count] of the head-pose bins in degrees, symmetric about 0: -97.5 ... +97.5 for 66 bins of 3."""
    return (torch.arange(count, dtype=torch.float32) - (count - 1) / 2) * width_deg


def expected_angle_deg(logits: Tensor, width_deg: float = BIN_WIDTH_DEG) -> Tensor:
    """Mean angle [...] in degrees of bin logits [..., count] (FV2V A.1: softmax, then expectation)."""
    centres = bin_centres_deg(logits.shape[-1], width_deg).to(logits)
    return (logits.softmax(-1) * centres).sum(-1)


def rotation_matrix(yaw_deg: Tensor, pitch_deg: Tensor, roll_deg: Tensor) -> Tensor:
    """Rotation R [...,3,3] = R_z(roll) R_y(yaw) R_x(pitch) from angles [...] in degrees."""
    yaw_rad, pitch_rad, roll_rad = (torch.deg2rad(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    sy, cy = yaw_rad.sin(), yaw_rad.cos()
    sp, cp = pitch_rad.sin(), pitch_rad.cos()
    sr, cr = roll_rad.sin(), roll_rad.cos()
    #        | cr -sr 0 |   | cy 0 -sy |   | 1   0  0 |
    #  R  =  | sr  cr 0 | . |  0 1   0 | . | 0  cp sp |
    #        |  0   0 1 |   | sy 0  cy |   | 0 -sp cp |
    rows = (
        torch.stack((cr * cy, -sr * cp + cr * sy * sp, -sr * sp - cr * sy * cp), -1),
        torch.stack((sr * cy, cr * cp + sr * sy * sp, cr * sp - sr * sy * cp), -1),
        torch.stack((sy, -cy * sp, cy * cp), -1),
    )
    return torch.stack(rows, -2)


def euler_angles_deg(R: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Yaw, pitch, roll [...] in degrees of rotations R [...,3,3]; inverse of `rotation_matrix` for |yaw| < 90."""
    yaw_rad = torch.asin(R[..., 2, 0].clamp(-1.0, 1.0))
    pitch_rad = torch.atan2(-R[..., 2, 1], R[..., 2, 2])
    roll_rad = torch.atan2(R[..., 1, 0], R[..., 0, 0])
    return torch.rad2deg(yaw_rad), torch.rad2deg(pitch_rad), torch.rad2deg(roll_rad)


def turn_deg(R: Tensor) -> Tensor:
    """Yaw, pitch, roll parts [...,3] in degrees of rotations R [...,3,3] by less than 180: axis times angle.

    Unlike Euler angles they know no order and do not wrap; a turn about one axis alone is the same in both.
    """
    skew = torch.stack((R[..., 2, 0] - R[..., 0, 2], R[..., 1, 2] - R[..., 2, 1], R[..., 1, 0] - R[..., 0, 1]), -1) / 2
    sine = skew.norm(dim=-1, keepdim=True)
    cosine = (R.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True) - 1.0) / 2
    angle_rad = torch.atan2(sine, cosine)
    return torch.rad2deg(skew * torch.where(sine > 1e-6, angle_rad / sine.clamp(min=1e-6), torch.ones_like(sine)))


def turn_rotation(turn_deg: Tensor) -> Tensor:
    """Rotation R [...,3,3] of a turn [...,3] in degrees; inverse of `turn_deg` (Rodrigues)."""
    yaw, pitch, roll = torch.deg2rad(turn_deg).unbind(-1)
    zero = torch.zeros_like(yaw)
    rows = ((zero, -roll, -yaw), (roll, zero, pitch), (yaw, -pitch, zero))
    K = torch.stack([torch.stack(row, -1) for row in rows], -2)
    angle = torch.deg2rad(turn_deg).norm(dim=-1)[..., None, None] / torch.pi  # sinc counts in half turns
    return torch.eye(3).to(K) + torch.sinc(angle) * K + 0.5 * torch.sinc(angle / 2).square() * (K @ K)


@full_precision
def compose_keypoints(x_c: Tensor, R: Tensor, t: Tensor, delta: Tensor) -> Tensor:
    """Place canonical keypoints under a head pose and an expression (Wang et al. 2021, eq. 1 and 3).

    Args: x_c [B,K,3] in [-1,1], (x,y,z). R [B,3,3] orthonormal. t [B,3]. delta [B,K,3], added after R.
    Returns: x [B,K,3]; may leave [-1,1] when the head leaves the crop.
    """
    return x_c @ R.mT + t[:, None] + delta


@full_precision
def compose_jacobians(J_c: Tensor, R: Tensor) -> Tensor:
    """Jacobians J [B,K,3,3] = R J_c under a head pose (eq. 2 and 4)."""
    return R[:, None] @ J_c


@full_precision
def compose_scaled_keypoints(x_c: Tensor, R: Tensor, t: Tensor, delta: Tensor) -> Tensor:
    """Eq. 1 with a size: x = exp(t_z) (R x_c + delta) + (t_x, t_y, 0), for heads that lean in (`compact`).

    Args and returns as `compose_keypoints`; t_z [B] is the logarithm of the scale.
    """
    scale = t[:, 2].exp()[:, None, None]
    shift = torch.cat((t[:, :2], torch.zeros_like(t[:, :1])), 1)
    return scale * (x_c @ R.mT + delta) + shift[:, None]


def similarity(R: Tensor, t: Tensor) -> Tensor:
    """Linear part exp(t_z) R [B,3,3] of `compose_scaled_keypoints`: the shared Jacobian of `compact`."""
    return R * t[:, 2].exp()[:, None, None]


@full_precision
def offset_pose(view: View, R_d: Tensor, t_d: Tensor) -> tuple[Tensor, Tensor]:
    """Compose the viewer's pose offset: R_d <- R_u R_d, t_d <- t_u + t_d (FV2V sec. 4.2)."""
    R_u = rotation_matrix(view.yaw_deg, view.pitch_deg, view.roll_deg)
    return R_u @ R_d, view.t + t_d


@full_precision
def relative_jacobian(J_s: Tensor, J_d: Tensor) -> Tensor:
    """J_s J_d^-1 [...,3,3] of eq. 6. With J = R J_c and one J_c it equals R_s R_d^T: J_c cancels."""
    # solve, not inv: (J_d^T)^-1 J_s^T is the transpose of J_s J_d^-1
    product: Tensor = torch.linalg.solve(J_d.mT, J_s.mT).mT
    return product


@full_precision
def relative_similarity(R_s: Tensor, t_s: Tensor, R_d: Tensor, t_d: Tensor) -> Tensor:
    """The same product for `compact`, in closed form: exp(t_z,s - t_z,d) R_s R_d^T [B,3,3]."""
    return (t_s[:, 2] - t_d[:, 2]).exp()[:, None, None] * (R_s @ R_d.mT)


@full_precision
def keypoint_flows(p_d: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor) -> Tensor:
    """Where each keypoint says that a driving position comes from (eq. 6).

    Args: p_d [N,3] positions in the driving frame. x_s, x_d [B,K,3]. A [B,3,3] or [B,K,3,3] = J_s J_d^-1.
    Returns: w [B,K+1,N,3] positions in the source, w_k = A (p_d - x_d,k) + x_s,k; k = 0 is the background, p_d itself.
    """
    A_k = A[:, None] if A.dim() == 3 else A
    relative = p_d[None, None] - x_d[:, :, None]  # [B,K,N,3]
    moved = relative @ A_k.mT + x_s[:, :, None]
    background = p_d[None, None].expand(x_s.shape[0], 1, -1, -1)
    return torch.cat((background, moved), 1)


def plane_grid(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Pixel centres [height,width,2] of a plane in [-1,1] (x, y), as grid_sample counts with align_corners=False."""
    y = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (2.0 / height) - 1.0
    x = (torch.arange(width, device=device, dtype=torch.float32) + 0.5) * (2.0 / width) - 1.0
    return torch.stack((x[None].expand(height, -1), y[:, None].expand(-1, width)), -1)


def depth_planes(depth: int, extent: float = 1.0, device: torch.device | None = None) -> Tensor:
    """Depths [depth] of the volume's planes, centres of equal slabs of [-extent, extent]."""
    return ((torch.arange(depth, device=device, dtype=torch.float32) + 0.5) * (2.0 / depth) - 1.0) * extent
