"""Under autocast the networks compute in bfloat16; where things are stays exact."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.config import TINY
from models.geometry import HeadMotion, relative_similarity, rotation_matrix
from models.motion_field import _plane_flows
from models.networks import Keypoints, Networks
from models.precision import full_precision
from models.training.data import Store, augment, draw_change, load_clips
from models.training.equivariance import draw_warp
from models.training.run import Plan, run_stage
from models.training.stages import PictureStage
from models.warp import identity_flow, warp_plane, warp_volume
from tests.models.training.prepared import write_prepared

RNG = torch.Generator().manual_seed(0)


def bf16() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def uniform(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=RNG) - 0.5


def random_motion(batch: int = 2) -> HeadMotion:
    yaw_deg, pitch_deg, roll_deg = uniform(3, batch) * 40.0
    return HeadMotion(yaw_deg, pitch_deg, roll_deg, uniform(batch, 3) * 0.4, uniform(batch, 20, 3) * 0.1)


@pytest.fixture(scope="module")
def networks() -> Networks:
    torch.manual_seed(0)
    return Networks(TINY).eval()


def test_a_product_is_rounded_under_autocast_unless_it_is_kept() -> None:
    a, b = uniform(8, 8), uniform(8, 8)
    with bf16():
        assert (a @ b).dtype == torch.bfloat16
        kept = full_precision(torch.matmul)(a, b.bfloat16())
        assert torch.is_autocast_enabled("cpu")
    assert torch.equal(kept, a @ b.bfloat16().float())


def test_keypoints_flows_and_warps_are_exact_under_autocast(networks: Networks) -> None:
    x_c, s, d = uniform(2, 20, 3), random_motion(), random_motion()
    warp, points = draw_warp(2, RNG), uniform(2, 5, 2)

    def everything() -> list[Tensor]:
        placed_s, placed_d = networks.place(x_c, s), networks.place(x_c, d)
        A = relative_similarity(placed_s.R, placed_s.t, placed_d.R, placed_d.t)
        grid = identity_flow(8, x_c)[0].permute(1, 2, 0)
        flows = _plane_flows(grid, placed_s.x, placed_d.x, A)
        return [placed_s.x, placed_d.x, A, flows, warp.points(points), warp.jacobian(points)]

    exact = everything()
    with bf16():
        for under, alone in zip(everything(), exact, strict=True):
            assert under.dtype == torch.float32
            assert torch.equal(under, alone)


def test_field_and_picture_under_autocast_are_near_fp32s(networks: Networks) -> None:
    image = torch.rand(2, 3, 64, 64, generator=RNG)
    x_c = uniform(2, 20, 3)
    s, d = networks.place(x_c, random_motion()), networks.place(x_c, random_motion())

    @torch.no_grad()
    def drawn() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        source = networks.appearance(image)
        field = networks.field(source, s, d)
        return field.flow, field.visible_flow, field.features, networks.draw(source, s, d).image

    exact = drawn()
    with bf16():
        flow, visible, features, picture = drawn()
    assert features.dtype == torch.bfloat16  # it is on
    assert flow.dtype == visible.dtype == torch.float32
    # masks are rounded, so flows may differ by a little, but not by the half pixel (0.016) of a rounded position
    assert (flow - exact[0]).abs().mean() < 4e-3
    assert (visible - exact[1]).abs().mean() < 4e-3
    assert picture.dtype == torch.float32
    assert (picture - exact[3]).abs().mean() < 0.01


def test_identity_warp_keeps_half_precision_features_where_they_are() -> None:
    """A grid in bfloat16 would move pixels near the border of 256 by up to half a pixel."""
    features = uniform(1, 2, 256, 256).bfloat16()
    assert torch.equal(warp_plane(features, identity_flow(256, features)), features)
    volume = uniform(1, 2, 4, 64, 64).bfloat16()
    axis = identity_flow(64, volume).permute(0, 2, 3, 1)[:, None].expand(-1, 4, -1, -1, -1)
    z = ((torch.arange(4) + 0.5) / 2.0 - 1.0)[None, :, None, None, None].expand(1, 4, 64, 64, 1)
    warped = warp_volume(volume, torch.cat((axis, z), -1))
    assert warped.dtype == torch.bfloat16
    assert (warped.float() - volume.float()).abs().max() < 4e-3  # its own last digit


def test_motion_is_measured_nearly_alike_under_autocast(networks: Networks) -> None:
    image, x_c = torch.rand(2, 3, 64, 64, generator=RNG), uniform(2, 20, 3)
    with torch.no_grad():
        exact = networks.extractor(image, x_c).motion
        with bf16():
            motion = networks.extractor(image, x_c).motion
    assert all(part.dtype == torch.float32 for part in motion)
    # delta is what is left over of large numbers: rounding them would cost some 4e-3
    R = rotation_matrix(*exact[:3])
    assert R.dtype == torch.float32
    assert (motion.delta - exact.delta).abs().max() < 0.05


def test_training_labels_and_steps_under_autocast(tmp_path: Path) -> None:
    store = Store(load_clips(write_prepared(tmp_path / "data"), ["train"], 64), torch.device("cpu"))
    clips = torch.arange(3)
    change = draw_change(3, RNG, roll_deg=20.0, log_scale=0.2, shift=0.1, colour=0.1, device=store.device)
    exact = augment(store.batch(clips, store.start), change, 64)
    with bf16():
        rough = augment(store.batch(clips, store.start), change, 64)
    assert torch.equal(rough.landmarks, exact.landmarks)
    assert torch.equal(rough.motion.delta, exact.motion.delta)
    assert torch.equal(rough.image, exact.image)

    terms = []
    for half in (False, True):
        torch.manual_seed(0)
        stage = PictureStage(Networks(TINY), store, 64, sources=1, driving=2)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            terms.append(stage.loss(torch.Generator().manual_seed(0)))
    for name, value in terms[0].items():
        assert terms[1][name].item() == pytest.approx(value.item(), rel=0.03), name
    before = {name: value.clone() for name, value in stage.module.state_dict().items()}
    run_stage(stage, Plan(64, None, 2, warm_up=1, bf16=True), tmp_path, resume=False)
    for parameter in stage.module.parameters():
        assert parameter.dtype == torch.float32
        assert torch.isfinite(parameter).all()
    assert any(not torch.equal(value, before[name]) for name, value in stage.module.state_dict().items())


def test_keypoints_type_is_kept() -> None:
    """A named tuple goes through as it is."""
    placed = Keypoints(uniform(1, 20, 3), torch.eye(3)[None], uniform(1, 3), uniform(1, 20, 3))
    with bf16():
        assert full_precision(lambda keypoints: keypoints)(placed) is placed
