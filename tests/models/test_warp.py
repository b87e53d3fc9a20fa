import torch
import torch.nn.functional as functional

from models.warp import identity_flow, upsample_flow, warp_plane, warp_volume


def test_warp_volume_equals_five_dimensional_grid_sample() -> None:
    rng = torch.Generator().manual_seed(0)
    volume = torch.randn(2, 3, 5, 9, 7, generator=rng)
    flow = torch.randn(2, 5, 9, 7, 3, generator=rng)  # a third of it outside, where the border counts
    expected = functional.grid_sample(volume, flow, padding_mode="border", align_corners=False)
    assert (warp_volume(volume, flow) - expected).abs().max().item() < 1e-5


def test_identity_flow_keeps_features() -> None:
    features = torch.rand(1, 4, 16, 16)
    torch.testing.assert_close(warp_plane(features, identity_flow(16, features)), features, atol=1e-5, rtol=0.0)


def test_upsampled_identity_stays_the_identity_at_the_edges_too() -> None:
    coarse = identity_flow(8, torch.empty(0))
    torch.testing.assert_close(upsample_flow(coarse, 64), identity_flow(64, coarse), atol=1e-6, rtol=0.0)


def test_warp_plane_by_one_pixel() -> None:
    features = torch.arange(16.0).reshape(1, 1, 4, 4)
    flow = identity_flow(4, features) + torch.tensor([0.5, 0.0])[None, :, None, None]  # one pixel to the right
    assert warp_plane(features, flow)[0, 0, 1].tolist() == [5.0, 6.0, 7.0, 7.0]
