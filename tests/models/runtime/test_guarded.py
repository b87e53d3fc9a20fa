"""A guarded runner never fails, and never mixes up two sources."""

import torch

from models.runtime.examples import example
from models.runtime.guarded import Guarded
from models.weights import build_model
from tests.models.runtime.fakes import Clock, FakeRunner


def test_failing_run_goes_on_with_plain_torch() -> None:
    graph, frames = example(build_model("tiny"), "extract")
    said: list[str] = []
    runner = FakeRunner(graph, Clock(), 0.0, lambda result: result + 1.0)
    guarded = Guarded("odd", runner, graph, said.append)
    right = guarded(graph.fixed, frames[1]) - 1.0
    runner.broken = True
    for _ in range(2):
        torch.testing.assert_close(guarded(graph.fixed, frames[1]), right, atol=1e-6, rtol=0.0)
    assert said == ["extract: odd failed (out of luck); going on with plain torch"]
    assert guarded.way == "torch"


def test_two_sources_share_a_runner() -> None:
    graph, frames = example(build_model("tiny"), "extract")
    runner = FakeRunner(graph, Clock(), 0.0, lambda result: result)
    guarded = Guarded("odd", runner, graph, print)
    other = (graph.fixed[0] + 0.5,)
    first, second = guarded(graph.fixed, frames[0]), guarded(other, frames[0])
    assert not torch.equal(first, second)
    assert torch.equal(guarded(graph.fixed, frames[0]), first)
    assert runner.fixes == 3
    guarded(graph.fixed, frames[1])
    assert runner.fixes == 3  # the same source is not told again


def test_other_shapes_go_to_plain_torch_without_a_word() -> None:
    model = build_model("tiny")
    graph, frames = example(model, "extract")
    said: list[str] = []
    runner = FakeRunner(graph, Clock(), 0.0, lambda result: result + 1.0)
    guarded = Guarded("odd", runner, graph, said.append)
    two = torch.cat((frames[0][0], frames[1][0]))
    found = guarded((graph.fixed[0].expand(2, -1, -1),), (two,))
    assert found.shape == (2, 67)
    torch.testing.assert_close(guarded(graph.fixed, frames[1])[0] - 1.0, found[1], atol=1e-5, rtol=0.0)
    assert not said
