"""Equivariance of keypoints under known warps of the picture (FV2V A.2, L_E; FOMM sec. 3.1).

A warp T maps a place in the warped picture to the place it was taken from: warped(p) = picture(T(p)). A point that is
found at q in the warped picture therefore lies at T(q) in the picture itself, and no inverse is ever needed.

    T(p) = A p + a + sum_c b_c U(|p - c|),   U(r) = r^2 ln r,   c on a 5 x 5 grid of control points

as in FOMM, but for two things: r is the Euclidean distance (there |dx| + |dy|), and x and y bend each by their own b_c
(there by one, so that pictures only bend along the diagonal).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor

from models.geometry import plane_grid
from models.precision import full_precision

CONTROL_SIDE = 5
_TINY = 1e-8  # keeps ln finite on a control point, where U and its slope are 0


class PlaneWarp(NamedTuple):
    """An affine map theta [B,2,3] and a thin-plate spline's weights bend [B,2,25]; one warp a picture."""

    theta: Tensor
    bend: Tensor

    @full_precision
    def points(self, q: Tensor) -> Tensor:
        """T(q): where in the picture the points q [B,K,2] of the warped picture lie, in crop units."""
        _, square = self._from_control(q)
        kernel = 0.5 * square * (square + _TINY).log()  # r^2 ln r
        return q @ self.theta[:, :, :2].mT + self.theta[:, None, :, 2] + kernel @ self.bend.mT

    @full_precision
    def jacobian(self, q: Tensor) -> Tensor:
        """dT/dq at points q [B,K,2]: [B,K,2,2], rows by what T gives, columns by q."""
        offset, square = self._from_control(q)
        slope = (square + _TINY).log() + square / (square + _TINY)  # dU/dp = (p - c) (2 ln r + 1)
        bent = torch.einsum("bic,bkcj->bkij", self.bend, slope[..., None] * offset)
        return self.theta[:, None, :, :2] + bent

    @full_precision
    def image(self, picture: Tensor) -> Tensor:
        """The warped picture [B,3,H,W], each pixel taken from T of its place; beyond the border it is mirrored."""
        height, width = picture.shape[-2:]
        places = plane_grid(height, width, picture.device).reshape(1, -1, 2).expand(len(picture), -1, -1)
        grid = self.points(places).reshape(-1, height, width, 2)
        return functional.grid_sample(picture.float(), grid, padding_mode="reflection", align_corners=False)

    def _from_control(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets p - c [B,K,25,2] from the control points and their squared lengths [B,K,25]."""
        axis = torch.linspace(-1.0, 1.0, CONTROL_SIDE, device=q.device)
        control = torch.cartesian_prod(axis, axis)
        offset = q.float()[:, :, None] - control
        return offset, offset.square().sum(-1)


def draw_warp(
    number: int,
    generator: Generator,
    *,
    affine: float = 0.05,
    bend: float = 0.005,
    device: torch.device | str = "cpu",
) -> PlaneWarp:
    """Random warps near the identity: standard deviations of theta's six numbers and of the spline's weights.

    The defaults are FOMM's (sigma_affine, sigma_tps); at 256 px they move points by some 8 px.
    """
    theta = torch.eye(2, 3) + affine * torch.randn(number, 2, 3, generator=generator)
    weights = bend * torch.randn(number, 2, CONTROL_SIDE**2, generator=generator)
    return PlaneWarp(theta.to(device), weights.to(device))


@full_precision
def equivariance_l1(x: Tensor, x_warped: Tensor, warp: PlaneWarp) -> Tensor:
    """Mean |x - T(x_warped)| of keypoints [B,K,2 or 3], projected to the picture by dropping z.

    x are found in the pictures, x_warped in `warp.image` of them.
    """
    return (x[..., :2].float() - warp.points(x_warped[..., :2].float())).abs().mean()


@full_precision
def jacobian_equivariance_l1(J: Tensor, J_warped: Tensor, x_warped: Tensor, warp: PlaneWarp) -> Tensor:
    """Mean |1 - J^-1 T'(x_warped) J_warped| of Jacobians [B,K,2 or 3, 2 or 3], upper left 2 x 2 (FOMM eq. 12)."""
    expected = warp.jacobian(x_warped[..., :2].float()) @ J_warped[..., :2, :2].float()
    ratio = torch.linalg.solve(J[..., :2, :2].float(), expected)
    difference: Tensor = ratio - torch.eye(2, device=ratio.device)
    return difference.abs().mean()
