"""Which way is taken: the quickest of those that give the right picture."""

import pytest
import torch
from torch import Tensor

from models.runtime.base import Graph
from models.runtime.choose import Measured, choose, compare, decide
from models.runtime.examples import example
from models.runtime.torch_eager import Eager
from models.weights import build_model
from tests.models.runtime.fakes import Clock, FakeRunner, FakeWay


@pytest.fixture(scope="module")
def render() -> tuple[Graph, list[tuple[Tensor, ...]]]:
    return example(build_model("tiny"), "render")


def test_the_quickest_right_way_is_taken(render: tuple[Graph, list[tuple[Tensor, ...]]]) -> None:
    clock = Clock()
    ways = [
        FakeWay("wrong", clock, 0.001, lambda result: result + 0.1),
        FakeWay("nan", clock, 0.001, lambda result: result * float("nan")),
        FakeWay("cut", clock, 0.001, lambda result: result[..., 1:]),
        FakeWay("absent", clock, missing="not installed"),
        FakeWay("slow", clock, 0.030),
        FakeWay("quick", clock, 0.010),
    ]
    # plain torch takes no time on this clock, so it wins; `decide` is asked again below with a time for it
    chosen = choose(*render, ways, now=clock, rounds=4)
    by_name = {result.way: result for result in chosen.choice.measured}
    assert by_name["quick"].p50_ms == pytest.approx(10.0)
    assert by_name["slow"].p95_ms == pytest.approx(30.0)
    assert by_name["wrong"].problem == "off by 1.0e-01 (mean 1.0e-01), allowed are 2.4e-02 (mean 9.8e-04)"
    assert "nan" in str(by_name["nan"].problem)
    assert "expected shape" in str(by_name["cut"].problem)
    assert by_name["absent"].problem == "not installed"
    assert by_name["wrong"].p50_ms is None
    assert chosen.choice.way == "torch"
    plain = Measured("torch", 20.0, 20.0)
    assert decide([plain, *(by_name[name] for name in ("wrong", "nan", "absent", "slow", "quick"))]) == (
        "quick",
        "10.0 ms where plain torch takes 20.0 ms",
    )


def test_the_runner_is_of_the_way_taken(
    render: tuple[Graph, list[tuple[Tensor, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(Eager, "build", lambda self, graph: FakeRunner(graph, clock, 0.05, lambda result: result))
    quick = FakeWay("quick", clock, 0.01)
    chosen = choose(*render, [quick], now=clock, rounds=3)
    assert chosen.choice.way == "quick"
    assert chosen.choice.why == "10.0 ms where plain torch takes 50.0 ms"
    assert chosen.runner is quick.built[0]


def test_a_way_that_breaks_is_not_taken(render: tuple[Graph, list[tuple[Tensor, ...]]]) -> None:
    def fall(result: Tensor) -> Tensor:
        raise ValueError("cannot")

    clock = Clock()
    chosen = choose(*render, [FakeWay("falls", clock, change=fall)], now=clock, rounds=1)
    assert chosen.choice.way == "torch"
    assert chosen.choice.measured[1].problem == "failed: ValueError: cannot"


@pytest.mark.parametrize(("quick_ms", "way"), [(9.6, "torch"), (9.4, "other")])
def test_a_gain_below_five_per_cent_is_none(quick_ms: float, way: str) -> None:
    assert decide([Measured("torch", 10.0, 11.0), Measured("other", quick_ms, 11.0)])[0] == way


def test_extract_is_compared_in_crop_units_and_half_turns() -> None:
    plain = torch.zeros(1, 67)
    turned, shifted = plain.clone(), plain.clone()
    turned[:, 0] = 0.17  # degrees: below 0.001 half turns
    shifted[:, 8] = 0.0011  # of a keypoint
    assert compare("a", "extract", [turned], [plain]).problem is None
    assert compare("b", "extract", [shifted], [plain]).problem is not None
