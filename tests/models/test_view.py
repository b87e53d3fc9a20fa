import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.geometry import HeadMotion, euler_angles_deg, rotation_matrix, turn_deg, turn_rotation
from models.view import (
    CAUTIOUS,
    NECK,
    FreeView,
    Frontaliser,
    ViewLimits,
    load_limits,
    save_limits,
    soften,
    turned_view,
)
from models.weights import Model, WeightsError, build_model, load_model, save_model

LIMITS = ViewLimits((-40.0, 40.0), (-20.0, 20.0), (-30.0, 30.0))
STILL = torch.eye(3, dtype=torch.float64)


def turned(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Tensor:
    return rotation_matrix(*torch.tensor((yaw, pitch, roll), dtype=torch.float64))


def angle_deg(R: Tensor) -> float:
    return float(turn_deg(R).norm())


@pytest.mark.parametrize(("axis", "angles"), [(0, (150.0, 0.0, 0.0)), (1, (0.0, -150.0, 0.0)), (2, (0.0, 0.0, 90.0))])
def test_turn_about_one_axis_is_the_angle_itself(axis: int, angles: tuple[float, float, float]) -> None:
    expected = torch.zeros(3, dtype=torch.float64)
    expected[axis] = angles[axis]
    torch.testing.assert_close(turn_deg(turned(*angles)), expected)
    torch.testing.assert_close(turn_rotation(expected), turned(*angles))


def test_turn_and_rotation_are_inverses() -> None:
    turns = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)).double() * 40.0
    torch.testing.assert_close(turn_deg(turn_rotation(turns)), turns)
    torch.testing.assert_close(turn_deg(STILL), torch.zeros(3, dtype=torch.float64))


def test_soften_by_hand() -> None:
    # room 40: free to 30; at 50, 30 + 10 tanh(20 / 10) = 39.640
    offsets = torch.tensor([10.0, 30.0, 50.0, -50.0, 1000.0, 5.0])
    room = torch.tensor([40.0, 40.0, 40.0, 40.0, 40.0, 0.0])
    expected = torch.tensor([10.0, 30.0, 39.640, -39.640, 40.0, 0.0])
    torch.testing.assert_close(soften(offsets, room), expected, atol=1e-3, rtol=0.0)


def test_limits_leave_small_views_and_the_head_itself_alone() -> None:
    for R_d in (STILL, turned(25.0, 5.0, 3.0), turned(80.0)):
        torch.testing.assert_close(LIMITS(STILL, R_d, STILL), STILL)
    view = turned(10.0, -5.0, 2.0)
    torch.testing.assert_close(LIMITS(view, STILL, STILL), view)


def test_limits_count_from_the_source_and_bind_the_total() -> None:
    # source at 20, head at 20: a view of 70 to the right ends just below 20 + 40
    total = LIMITS(turned(70.0), turned(20.0), turned(20.0)) @ turned(20.0)
    assert 59.0 < float(euler_angles_deg(total)[0]) <= 60.0
    # a head that is beyond the limit by itself is not pushed on, but may be brought back all the way
    torch.testing.assert_close(LIMITS(turned(30.0), turned(50.0), STILL), STILL)
    torch.testing.assert_close(LIMITS(turned(-50.0), turned(50.0), STILL), turned(-50.0))


def test_limits_never_jump() -> None:
    views = [turned(yaw / 4, pitch / 8) for yaw, pitch in zip(range(-320, 320, 8), range(320, -320, -8), strict=True)]
    R_d = turned(12.0, 7.0, -5.0)
    allowed = [LIMITS(view, R_d, turned(-8.0)) for view in views]
    steps = [angle_deg(b @ a.mT) for a, b in zip(allowed[:-1], allowed[1:], strict=True)]
    asked = [angle_deg(b @ a.mT) for a, b in zip(views[:-1], views[1:], strict=True)]
    assert max(steps) < 1.5 * max(asked)
    farthest = torch.stack([turn_deg(R_u @ R_d @ turned(-8.0).mT) for R_u in allowed]).abs().amax(0)
    assert (farthest <= torch.tensor((40.0, 20.0, 30.0), dtype=torch.float64) + 1e-6).all()


def test_frontaliser_by_hand() -> None:
    # a still head at yaw 30, faced at once; then one step to 40 after 0.1 s: speed 100 deg/s
    frontal = Frontaliser(cutoff_hz=0.3, cutoff_hz_per_deg_s=0.05, speed_cutoff_hz=1.0)
    torch.testing.assert_close(frontal(turned(30.0), 0.0), turned(-30.0))
    speed = 100.0 * (1.0 - math.exp(-2.0 * math.pi * 0.1))
    followed = 30.0 + 10.0 * (1.0 - math.exp(-2.0 * math.pi * (0.3 + 0.05 * speed) * 0.1))
    torch.testing.assert_close(frontal(turned(40.0), 0.1), turned(-followed), atol=1e-5, rtol=0.0)


def test_frontaliser_knows_no_wrap() -> None:
    frontal = Frontaliser()
    rolls = [*range(0, 361, 4)]  # once around, past 180 and back to 0
    views = [frontal(turned(0.0, 0.0, float(roll)), at / 25) for at, roll in enumerate(rolls)]
    steps = [angle_deg(b @ a.mT) for a, b in zip(views[:-1], views[1:], strict=True)]
    assert max(steps) < 8.0
    behind = [angle_deg(view @ turned(0.0, 0.0, float(roll))) for view, roll in zip(views, rolls, strict=True)]
    assert max(behind) < 12.0


def test_frontaliser_calms_noise_and_follows_a_turn() -> None:
    rng = torch.Generator().manual_seed(3)
    noise = torch.randn(200, 3, generator=rng).double() * 0.5
    frontal = Frontaliser()
    views = torch.stack([turn_deg(frontal(turn_rotation(noise[n]) @ turned(20.0), n / 25)) for n in range(200)])
    assert views[100:].std(0).max() < 0.4 * noise[100:].std(0).min()
    last = [frontal(turned(-20.0), 8.0 + n / 25) for n in range(50)][-1]  # turned the other way, two seconds ago
    assert angle_deg(last @ turned(-20.0)) < 1.0


def test_frontaliser_does_not_depend_on_the_frame_rate() -> None:
    def after_a_second(rate: int) -> Tensor:
        frontal = Frontaliser(cutoff_hz_per_deg_s=0.0)
        return [frontal(turned(0.0 if n == 0 else 30.0), n / rate) for n in range(rate + 1)][-1]

    torch.testing.assert_close(after_a_second(10), after_a_second(50), atol=1e-6, rtol=0.0)


def test_free_view_composes_before_the_head() -> None:
    motion = HeadMotion(
        torch.tensor([10.0]), torch.tensor([-6.0]), torch.tensor([4.0]), torch.zeros(1, 3), torch.zeros(1, 20, 3)
    )
    R_d = turned(10.0, -6.0, 4.0)
    for view_deg, frontalise, expected in (
        ((15.0, 0.0, 0.0), False, turned(15.0)),
        ((0.0, 0.0, 0.0), True, R_d.mT),
        ((0.0, 5.0, 0.0), True, turned(0.0, 5.0) @ R_d.mT),
    ):
        view = FreeView(view_deg, frontalise, LIMITS, STILL[None].float())(motion, 0.0)
        R_u = rotation_matrix(view.yaw_deg, view.pitch_deg, view.roll_deg)[0].double()
        torch.testing.assert_close(R_u, expected, atol=1e-5, rtol=0.0)


def test_head_turns_on_its_neck() -> None:
    """Where the neck of a head of half the size is drawn does not change; t_u by hand for a quarter turn."""
    zero = torch.zeros(1)
    still = HeadMotion(zero, zero, zero, torch.zeros(1, 3), torch.zeros(1, 20, 3))
    view = turned_view(turned(90.0), still, (0.0, 0.8, 0.7))
    torch.testing.assert_close(view.t, torch.tensor([[0.7, 0.0, 0.0]]))  # the nose turns right, the head goes with it
    t = torch.tensor([[0.1, -0.2, math.log(0.5)]])
    motion = HeadMotion(torch.tensor([10.0]), torch.tensor([5.0]), torch.tensor([-3.0]), t, torch.zeros(1, 20, 3))
    x_c = torch.zeros(1, 20, 3)
    x_c[0, 0] = torch.tensor(NECK)
    networks = build_model("tiny").networks
    view = turned_view(turned(-25.0, 12.0, 7.0), motion)
    before, after = networks.place(x_c, motion).x, networks.place(x_c, motion, view).x
    torch.testing.assert_close(after[0, 0, :2], before[0, 0, :2], atol=1e-5, rtol=0.0)
    assert (after[0, 1, :2] - before[0, 1, :2]).norm() > 0.05  # the middle of the face does move
    assert turned_view(turned(30.0), motion, None).t.abs().sum() == 0


def test_limits_beside_the_weights(tmp_path: Path) -> None:
    model = _saved(tmp_path)
    assert load_limits(model) == CAUTIOUS
    path = save_limits(model, LIMITS, {"clips": 3})
    assert load_limits(load_model(tmp_path)) == LIMITS
    assert json.loads(path.read_text())["measured"] == {"clips": 3}
    other = json.loads(path.read_text()) | {"weights": "0" * 64}
    path.write_text(json.dumps(other))
    assert load_limits(model) == CAUTIOUS  # measured for other weights
    path.write_text("{}")
    with pytest.raises(WeightsError, match="expected limits as `facewire fit-view` writes them"):
        load_limits(model)
    with pytest.raises(WeightsError, match="made in memory"):
        save_limits(build_model("tiny"), LIMITS, {})


def test_limits_that_are_none() -> None:
    with pytest.raises(ValueError, match="pitch_deg: expected a range around 0 within -90 to 90, got 5 to 20"):
        ViewLimits((-40.0, 40.0), (5.0, 20.0), (-30.0, 30.0))


def _saved(folder: Path) -> Model:
    model = build_model("tiny")
    save_model(model.networks, model.codec_tables, folder, {"source": "random", "licence": "Apache-2.0"})
    return load_model(folder)
