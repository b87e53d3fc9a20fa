"""The tiny preset runs the same code as compact: shapes, sums, gradients, and what must not depend on what."""

import torch

from models.config import COMPACT, TINY
from models.geometry import HeadMotion, View
from models.keypoints import LANDMARKS
from models.networks import Networks
from models.weights import build_model


def frames(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, TINY.size, TINY.size, generator=torch.Generator().manual_seed(seed))


def tiny_networks() -> Networks:
    networks = build_model("tiny").networks
    assert isinstance(networks, Networks)
    return networks


def drawn(networks: Networks, source: torch.Tensor, driving: torch.Tensor) -> torch.Tensor:
    x_c = networks.canonical(source)
    s = networks.place(x_c, networks.extractor(source, x_c).motion)
    d = networks.place(x_c, networks.extractor(driving, x_c).motion)
    return networks.draw(networks.appearance(source), s, d).image


def test_shapes_of_every_network() -> None:
    networks = tiny_networks()
    image = frames(2)
    motion, score = networks.extractor(image, networks.canonical(image))
    assert motion.yaw_deg.shape == motion.pitch_deg.shape == motion.roll_deg.shape == score.shape == (2,)
    assert motion.t.shape == (2, 3)
    assert motion.delta.shape == (2, 20, 3)
    x_c = networks.canonical(image)
    assert x_c.shape == (2, 20, 3)
    source = networks.appearance(image)
    assert source.volume.shape == (2, TINY.volume_channels, TINY.depth, 8, 8)
    placed = networks.place(x_c, motion)
    field = networks.field(source, placed, placed)
    assert field.mask.shape == (2, 21, TINY.depth, 8, 8)
    assert field.flow.shape == (2, TINY.depth, 8, 8, 3)
    assert field.visible_flow.shape == (2, 2, 16, 16)
    torch.testing.assert_close(field.mask.sum(1), torch.ones(2, TINY.depth, 8, 8))
    assert networks.draw(source, placed, placed).image.shape == image.shape


def test_every_parameter_gets_a_finite_gradient() -> None:
    torch.manual_seed(0)
    networks = Networks(TINY).eval()
    for parameter in networks.parameters():  # off zero, so that no zero start hides a path
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    image = frames(2)
    score = networks.extractor(image, networks.canonical(image)).face_score
    (drawn(networks, image, frames(2, seed=1)).square().sum() + score.sum()).backward()
    for name, parameter in networks.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_batch_gives_what_single_frames_give() -> None:
    networks = tiny_networks()
    source, driving = frames(3), frames(3, seed=1)
    with torch.no_grad():
        whole = drawn(networks, source, driving)
        single = torch.cat([drawn(networks, source[i : i + 1], driving[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(whole, single, atol=1e-5, rtol=1e-4)


def test_no_motion_warps_nothing() -> None:
    """With source and driving keypoints equal, every flow is the identity, so the warped source is the source."""
    networks = tiny_networks()
    networks.generator.correct.weight.data.zero_()
    image = frames(1)
    with torch.no_grad():
        x_c = networks.canonical(image)
        placed = networks.place(x_c, networks.extractor(image, x_c).motion)
        picture = networks.draw(networks.appearance(image), placed, placed)
    torch.testing.assert_close(picture.warped, image, atol=1e-4, rtol=0.0)


def test_shifted_head_is_copied_from_where_it_was() -> None:
    """t_x moves every keypoint; masks that are all foreground then shift the picture by as much."""
    networks = tiny_networks()
    networks.generator.correct.weight.data.zero_()
    bias = networks.motion_field.fine_head.bias
    assert bias is not None
    bias.data[0] = -1e4  # no background
    image = frames(1)
    with torch.no_grad():
        x_c = networks.canonical(image)
        motion = networks.extractor(image, x_c).motion
        moved = motion._replace(t=motion.t + torch.tensor([[8 * 2 / TINY.size, 0.0, 0.0]]))
        picture = networks.draw(networks.appearance(image), networks.place(x_c, motion), networks.place(x_c, moved))
    torch.testing.assert_close(picture.warped[..., 16:], image[..., 8:-8], atol=1e-3, rtol=0.0)


def test_errors_of_pose_and_canonical_keypoints_do_not_move_the_face() -> None:
    """What Δ measures in the picture is where the keypoints come out, whatever L and H say."""
    networks = tiny_networks()
    image = frames(1)
    with torch.no_grad():
        x_c = networks.canonical(image)
        x = networks.place(x_c, networks.extractor(image, x_c).motion).x
        other = x_c + 0.2 * torch.randn(x_c.shape, generator=torch.Generator().manual_seed(1))
        features = networks.extractor.trunk(image)
        t = networks.extractor.head_pose(features)[3]
        measured = networks.extractor.deformation.measure(features, image, t[:, 2])
        placed = networks.place(other, networks.extractor(image, other).motion).x
    torch.testing.assert_close(x[..., :2], measured, atol=1e-5, rtol=0.0)
    torch.testing.assert_close(placed[..., :2], measured, atol=1e-5, rtol=0.0)


def test_view_turns_the_head_and_carries_the_expression() -> None:
    networks = tiny_networks()
    x_c = torch.randn(1, 20, 3) * 0.3
    zero = torch.zeros(1)
    motion = HeadMotion(zero + 10.0, zero, zero, torch.tensor([[0.1, 0.0, 0.2]]), torch.randn(1, 20, 3) * 0.05)
    still = networks.place(x_c, motion)
    turned = networks.place(x_c, motion, View(zero + 90.0, zero, zero, torch.zeros(1, 3)))
    # a viewer's quarter turn swaps depth and width of the whole head, deformation included
    about = torch.tensor([0.1, 0.0, 0.0])
    torch.testing.assert_close(turned.x[..., 2], (still.x - about)[..., 0], atol=1e-5, rtol=0.0)
    torch.testing.assert_close((turned.x - about)[..., 0], -still.x[..., 2], atol=1e-5, rtol=0.0)


def test_compact_sizes() -> None:
    """The shipped preset: pictures of 256, 32x32 maps, 20 keypoints, and weights far below 30 MB in fp16."""
    networks = Networks(COMPACT)
    assert (COMPACT.size, COMPACT.grid, COMPACT.keypoints) == (256, 32, 20)
    assert 2 * sum(parameter.numel() for parameter in networks.parameters()) < 30e6


def test_background_is_unlikely_where_the_source_shows_the_head() -> None:
    """With a head of scale 1, radius 0.8 and sigma 0.14 the edge lies at 16.3: near the source's keypoints the
    background loses 20 more, far from them nothing; the keypoints' own share knows only where they are now.
    """
    field = build_model("tiny").networks.motion_field
    far_s = torch.zeros(1, 20, 1, 2)
    far_s[..., 1] = 4.0
    far_d = torch.full((1, 20, 1, 2), 0.0392)  # 2 sigma^2 of a cheek
    prior = field._prior(far_s, far_d, torch.ones(1))
    torch.testing.assert_close(prior[0, 0, 0], torch.tensor([-36.33, -16.33]), atol=0.05, rtol=0.0)
    cheek = LANDMARKS.index(234)
    torch.testing.assert_close(prior[0, 1 + cheek, 0], torch.tensor([-1.0, -1.0]), atol=1e-4, rtol=0.0)
    larger = field._prior(far_s * 4.0, far_d * 4.0, torch.full((1,), 2.0))
    torch.testing.assert_close(larger, prior, atol=1e-4, rtol=0.0)
