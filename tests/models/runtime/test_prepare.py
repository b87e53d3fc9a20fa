"""prepare: measured once, kept, used by Model.extract and Renderer; what fails later costs a line, not a call."""

from pathlib import Path

import pytest
import torch

from models.renderer import Renderer
from models.runtime import prepare as module
from models.runtime.base import Way
from models.runtime.choose import Choice, Measured
from models.runtime.choose import choose as choose_way
from models.runtime.examples import portrait
from models.runtime.machine import describe
from models.runtime.prepare import prepare
from models.runtime.stored import cache_folder
from models.runtime.torch_eager import Folded
from models.weights import Model, build_model
from tests.models.runtime.fakes import Clock, FakeWay


@pytest.fixture(scope="module")
def tiny() -> Model:
    return build_model("tiny")


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "SMALL_GMAC", 0.0)


def offer(monkeypatch: pytest.MonkeyPatch, ways: list[Way], taken: str) -> list[str]:
    """Let `prepare` know these ways and take one of them; returns the list of graphs that it measures."""
    measured: list[str] = []
    plain = choose_way

    def choose(graph, frames, ways, now):  # type: ignore[no-untyped-def]
        measured.append(graph.name)
        chosen = plain(graph, frames, ways, now, rounds=1)
        runner = next(way for way in ways if way.name == taken).build(graph)
        return type(chosen)(Choice(graph.name, taken, "a test", chosen.choice.measured), runner)

    monkeypatch.setattr(module, "ways_for", lambda *_: ways)
    monkeypatch.setattr(module, "choose", choose)
    return measured


def test_measured_once_and_kept(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = offer(monkeypatch, [Folded()], "torch-folded")
    for _ in range(2):
        prepared = prepare(tiny)
        assert [choice.way for choice in prepared.choices] == ["torch-folded", "torch-folded"]
        assert {path: runner.way for path, runner in prepared.model.runners.items()} == {
            "extract": "torch-folded",
            "render": "torch-folded",
        }
    assert measured == ["extract", "render"]
    prepare(tiny, ["extract"], measure=True)
    assert measured == ["extract", "render", "extract"]
    facts = describe()
    monkeypatch.setattr(module, "describe", lambda: {**facts, "threads": 7})  # another number is another measurement
    prepare(tiny, ["extract"])
    assert len(measured) == 4


def test_prepared_model_gives_what_the_plain_one_gives(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, [Folded()], "torch-folded")
    fast = prepare(tiny).model
    image = portrait(64)
    x_c = tiny.canonical(image)
    plain, found = tiny.extract(image, x_c), fast.extract(image, x_c)
    torch.testing.assert_close(found.motion.delta, plain.motion.delta, atol=1e-5, rtol=0.0)
    torch.testing.assert_close(found.face_score, plain.face_score, atol=1e-5, rtol=0.0)
    pictures = []
    for model in (tiny, fast):
        renderer = Renderer(model)
        renderer.set_source(image)
        pictures.append(renderer.render(plain.motion._replace(t=plain.motion.t + 0.1)))
    torch.testing.assert_close(pictures[0], pictures[1], atol=1e-4, rtol=0.0)


def test_two_renderers_of_one_prepared_model_keep_their_sources(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, [Folded()], "torch-folded")
    model = prepare(tiny, ["render"]).model
    image = portrait(64)
    motion = model.extract(image, model.canonical(image)).motion
    first, second = Renderer(model), Renderer(model)
    first.set_source(image)
    before = first.render(motion)
    second.set_source(1.0 - image)
    assert not torch.equal(second.render(motion), before)
    assert torch.equal(first.render(motion), before)


def test_damaged_cache_is_measured_again(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = offer(monkeypatch, [Folded()], "torch-folded")
    prepare(tiny, ["extract"])
    for path in cache_folder().glob("*/choice.json"):
        path.write_text("{")
    assert prepare(tiny, ["extract"]).choices[0].way == "torch-folded"
    assert measured == ["extract", "extract"]


def test_a_kept_way_that_fails_or_errs_now(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    way = FakeWay("odd", Clock())
    offer(monkeypatch, [way], "odd")
    prepare(tiny, ["extract"])
    for spoiled in (
        FakeWay("odd", Clock(), missing="not installed"),
        FakeWay("odd", Clock(), change=lambda result: result + 1),
    ):
        monkeypatch.setattr(module, "ways_for", lambda *_, way=spoiled: [way])
        said: list[str] = []
        prepared = prepare(tiny, ["extract"], say=said.append)
        assert prepared.model.runners == {}
        assert prepared.choices[0].way == "torch"
        assert len(said) == 1
        assert said[0].startswith("extract: odd does not run any more (")


def test_small_networks_are_left_alone(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = offer(monkeypatch, [Folded()], "torch-folded")
    monkeypatch.setattr(module, "SMALL_GMAC", 0.02)
    prepared = prepare(tiny)
    assert prepared.model.runners == {}
    assert [choice.way for choice in prepared.choices] == ["torch", "torch"]
    assert not measured


def test_ways_on_this_processor_start_with_plain_torch() -> None:
    names = [way.name for way in module.ways_for(torch.device("cpu"))]
    assert names[0] == "torch"
    assert {"torch-frozen", "openvino"} <= set(names)
    assert {"cuda-graph-fp16", "cuda-graph-bf16"} <= {way.name for way in module.ways_for(torch.device("cuda"))}
    assert Measured("x", 1.0).usable
