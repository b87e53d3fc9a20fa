"""A whole comparison with a tiny model: every family, taken up again, in processes and on Ray."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.weights import Model
from replay.compare.clip import find_clips
from replay.compare.cluster import run_on_ray
from replay.compare.run import RESULTS, plan, run
from replay.compare.work import REPEAT, Result, Settings, Task, do, families, fits, read_result, write_result
from replay.errors import CompareError
from tests.replay.compare.moving import write_clip
from tests.replay.tiny import save_tiny

SIZES = (64, 128)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def settings(model: Model) -> Settings:
    return Settings(weights=model.folder, first=13)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "small" / "one.mp4", 64)
    write_clip(folder / "large" / "two.mp4", 128)
    return folder


def task(clips: Path, name: str, family: str) -> Task:
    return Task(next(file for file in find_clips([clips]) if file.name == name), family)


def test_plan_has_everything_once(clips: Path) -> None:
    tasks, missing = plan(find_clips([clips]), SIZES)
    assert missing == []
    assert len(tasks) == len(set(tasks)) == 2 * len(families(SIZES))
    assert [one.family for one in tasks[:2]] == [REPEAT] * 2  # what a run that is stopped has first
    assert len({one.path for one in tasks}) == len(tasks)
    with pytest.raises(CompareError, match="--only: expected one of .*x264 medium.*, got 'x266'"):
        plan(find_clips([clips]), SIZES, ["x266"])


def test_facewire_is_measured_at_the_clips_size_and_below(clips: Path, settings: Settings) -> None:
    assert fits("facewire 64", 64)
    assert not fits("facewire 128 paper", 64)
    assert do(task(clips, "one", "facewire 128"), settings).rows == []
    (high, medium, low) = do(task(clips, "one", "facewire 64"), settings).rows
    assert high.way == "facewire 64 predictive high"
    assert high.rates.steady_kbps > medium.rates.steady_kbps > low.rates.steady_kbps > 0
    assert high.rates.start_bytes > 500
    assert high.extra["source_frame"] == 0
    assert high.extra["bytes_per_frame"] * 13 * 8 / 1000 / high.seconds == pytest.approx(high.rates.steady_kbps)
    assert 10 < (high.figures["psnr_db"] or 0) < 60
    large = do(task(clips, "two", "facewire 64 paper"), settings).rows
    assert {row.size_px for row in large} == {128}  # compared at the clip's size, scaled up
    assert all(len(row.extra["frame_bytes"]) == 13 for row in large)
    assert large[0].extra["frame_bytes"][0][0] == 132


def test_repeating_costs_nothing(clips: Path, settings: Settings) -> None:
    source, first = do(task(clips, "one", REPEAT), settings).rows
    assert (source.rates.steady_kbps, first.rates.steady_wire_kbps) == (0, 0)
    assert (first.figures["ssim"] or 0) > (source.figures["ssim"] or 0)  # WebP is not free


def test_codec_has_a_row_a_step(clips: Path, settings: Settings) -> None:
    rows = do(task(clips, "one", "x264 medium"), settings).rows
    assert [row.step for row in rows] == list(range(24, 52, 3))
    psnr = [row.figures["psnr_db"] or 0.0 for row in rows]
    assert psnr == sorted(psnr, reverse=True)
    assert rows[0].rates.payload_kbps > rows[-1].rates.payload_kbps


def test_results_are_taken_up_for_the_same_clip_and_settings_alone(
    clips: Path, settings: Settings, tmp_path: Path
) -> None:
    one = task(clips, "one", "x264 medium, half size")
    result = do(one, settings)
    about = settings.about()
    assert read_result(tmp_path, one, about) is None
    write_result(tmp_path, one, result, about)
    assert read_result(tmp_path, one, about) == result
    assert read_result(tmp_path, one, replace(settings, every=5).about()) is None
    assert read_result(tmp_path, replace(one, file=replace(one.file, sha256="other")), about) is None
    (tmp_path / one.path).write_text((tmp_path / one.path).read_text()[:-30])
    assert read_result(tmp_path, one, about) is None


@pytest.mark.slow
def test_run_goes_on_where_it_was(clips: Path, settings: Settings, tmp_path: Path) -> None:
    broken = tmp_path / "small" / "broken.mp4"
    broken.parent.mkdir()
    broken.write_bytes(b"no video")
    tasks, _ = plan(find_clips([clips, broken.parent]), SIZES, [REPEAT, "VP9 realtime"])
    said: list[str] = []
    done = run(tasks, settings, tmp_path, 2, None, said.append)
    assert len(done.results) == 4
    assert [line.split(",")[0] for line in done.failed] == ["broken"] * 2
    kept = tmp_path / RESULTS / "small" / "one" / "VP9_realtime.json"
    told = json.loads(kept.read_text())
    told["rows"] = told["rows"][:1]
    kept.write_text(json.dumps(told))  # so that one can see whether it is read or made again
    again = run([one for one in tasks if one.file.name != "broken"], settings, tmp_path, 2, None, said.append)
    assert said[-1] == "4 of 4 pieces of work were done before"
    assert len(again.results[task(clips, "one", "VP9 realtime")].rows) == 1


def start_ray(ray: Any) -> None:
    """A node of its own with two workers; Ray gives each start 30 s, which a busy machine may need more than once."""
    for _ in range(3):
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
        except Exception as error:  # Ray raises a bare one
            if "timed out during startup" not in str(error):
                raise
            ray.shutdown()
        else:
            return
    pytest.skip("Ray did not start within 30 s, three times: this machine is too busy")


@pytest.mark.slow
def test_local_ray_of_two_workers_gives_the_same(clips: Path, settings: Settings) -> None:
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'facewire[ray]'")
    start_ray(ray)
    try:
        tasks = [task(clips, "one", REPEAT), task(clips, "two", "x264 medium, half size")]
        tasks.append(replace(tasks[0], file=replace(tasks[0].file, path=Path(__file__))))  # something that is no video
        found = dict(run_on_ray(tasks, settings, "auto"))
    finally:
        ray.shutdown()
    assert isinstance(found[tasks[2]], CompareError)
    for one in tasks[:2]:
        there = found[one]
        assert isinstance(there, Result)
        assert there.rows == do(one, settings).rows


def test_ray_that_is_not_there(clips: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(CompareError, match=r"--ray: expected ray, found none: pip install 'facewire\[ray\]'"):
        next(run_on_ray([task(clips, "one", REPEAT)], settings, "auto"))
