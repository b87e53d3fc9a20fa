"""The report says what the figures say, and needs nothing beside it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facewire
from models.weights import Model
from replay.compare.clip import ClipFile
from replay.compare.inception import frechet
from replay.compare.page import Part, Picture, Section, Table, Words, read_sections, write_page
from replay.compare.plots import log_ticks, rate_plots
from replay.compare.report import Options, make_report, write_report
from replay.compare.summary import Group, as_json
from replay.compare.tables import equal_table, everything_table, levels_table, table_1, table_5
from replay.compare.videos import crf_at_quality, typical_clip
from replay.compare.work import Settings
from replay.errors import CompareError
from replay.rating.pairs import read_pairs
from tests.replay.compare.moving import results, row, write_clip
from tests.replay.tiny import save_tiny


@pytest.fixture
def group() -> Group:
    return Group("made", results(), {}, {})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def test_json_has_the_ratio_of_each_codec_and_set(group: Group) -> None:
    told = json.loads(json.dumps(as_json([group])))
    assert told["bits_ratio_at_equal_picture"] == {"made": {"x264 medium": 10.0}}
    found = told["equal_picture"]["made"]["facewire 256 predictive high"]["x264 medium"]
    assert found["steady_kbps"]["by"] == "lpips"
    assert found["steady_kbps"]["at_our_akd_px"]["kbps"] == pytest.approx(40.0)
    assert found["steady_wire_kbps"]["ratio"] == pytest.approx(10.0)
    assert found["clips"]["median"] == pytest.approx(10.0)
    assert [way["way"] for way in told["sets"]["made"]["ways"]][:2] == [
        "repeat the source",
        "facewire 256 predictive high",
    ]
    assert len(told["clips"]) == len(results())


def test_tables_hold_the_same_figures(group: Group) -> None:
    (line,) = equal_table(group, group.quoted).rows
    assert line == ["x264 medium", "20.0", "40.0", "10.0", "10.0", "10.0", "10.0", "10.0 (10.0, 10.0)"]
    levels = {line[0]: line for line in levels_table(group, "x264 medium").rows}
    assert levels["facewire 256 paper"][5:7] == ["23.0", "1.1"]  # 10 * 4 ** 0.6
    everything = everything_table(group)
    assert len(everything.rows) == len(group.ways)
    assert {everything.rows[number][0] for number in everything.strong} == {"repeat the source", group.quoted}
    names = [line[0] for line in table_1([group]).rows]
    assert "repeat the source" in names
    assert "FV2V" in names
    assert ["ours, paper", "made", "132.0", "111.0", "110", "112", "111"] in table_5([group]).rows


def test_codec_that_was_not_measured_is_left_out() -> None:
    alone = Group("made", [one for one in results() if one.family != "x264 medium"], {}, {})
    assert as_json([alone])["bits_ratio_at_equal_picture"] == {"made": {}}
    assert equal_table(alone, alone.quoted).rows == []


def test_fid_compares_with_the_camera() -> None:
    random = np.random.default_rng(0)
    camera, shown = (random.normal(0, 1, (20, 8)).astype(np.float32) for _ in range(2))
    features = {("a", "camera"): camera, ("a", "facewire 256 predictive high"): shown}
    group = Group("made", results(), {}, features)
    fids = {way.name: way.fid for way in group.ways}
    assert fids["facewire 256 predictive high"] == pytest.approx(frechet(shown, camera))
    assert fids["repeat the source"] is None


def test_plots_are_drawn(group: Group) -> None:
    picture = rate_plots(group)
    assert picture.size == (2 * 760, 3 * 520)  # the mouth was not measured: its place stays empty
    assert picture.getpixel((1140, 1300)) == (255, 255, 255)
    assert len(picture.getcolors(1 << 20) or []) > 50
    assert log_ticks([0.03, 0.9]) == [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]


def test_page_needs_no_other_file(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (200, 30, 30)).save(tmp_path / "dot.png")
    parts: list[Part] = [
        Words("1 < 2"),
        Table("caption", ["a", "b"], [["x", "<y>"]], strong=[0]),
        Picture(tmp_path / "dot.png", "dot"),
    ]
    write_page(tmp_path / "page.html", "Title & more", [Section("One section", parts)])
    page = (tmp_path / "page.html").read_text()
    assert re.findall(r'(?:src|href)="(?!data:|#)', page) == []
    assert "1 &lt; 2" in page
    assert "&lt;y&gt;" in page
    assert "Title &amp; more" in page
    assert "data:image/png;base64," in page


def test_sections_of_other_programs(tmp_path: Path) -> None:
    (tmp_path / "sections").mkdir()
    told = {"title": "Cross-identity", "parts": [{"words": "said"}, {"caption": "c", "heads": ["h"], "rows": [["1"]]}]}
    (tmp_path / "sections" / "one.json").write_text(json.dumps(told))
    (section,) = read_sections(tmp_path)
    assert section == Section("Cross-identity", [Words("said"), Table("c", ["h"], [["1"]])])
    (tmp_path / "sections" / "two.json").write_text("{}")
    with pytest.raises(CompareError, match=r"two\.json: expected a section of a report"):
        read_sections(tmp_path)


def test_clip_that_is_shown_is_the_one_in_the_middle() -> None:
    rows = [
        row("facewire 256 predictive high", 2.0, lpips, 1.0, clip)
        for clip, lpips in zip("abc", (0.3, 0.1, 0.2), strict=True)
    ]
    assert typical_clip(Group("made", rows, {}, {}), 1) == ["c"]


def test_equal_quality_is_between_two_steps(group: Group) -> None:
    crf = crf_at_quality(group, "a")  # 20 kbps, halfway between CRF 36 (40 kbps) and 48 (10 kbps)
    assert crf == pytest.approx(42.0)


def test_no_clips_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facewire.run(["compare", str(tmp_path / "none"), "--out", str(tmp_path / "out"), "--no-landmarks"]) == 1
    assert "no such file or folder" in capsys.readouterr().err


@pytest.mark.slow
def test_whole_report_of_a_tiny_model(tmp_path: Path, model: Model) -> None:
    clip = write_clip(tmp_path / "set" / "one.mp4")
    options = Options(
        weights=model.folder,
        only=["repeat the source", "facewire 64", "x264 medium"],
        first=13,
        every=6,
        lpips=None,
        mediapipe_python=None,
        landmarks=False,
        fid=None,
        videos=1,
        workers=1,
        ray=None,
    )
    with pytest.raises(CompareError, match="nothing in .* fits these clips and settings"):
        make_report([clip], tmp_path / "out", replace(options, report_only=True))
    make_report([clip], tmp_path / "out", options)
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["model_id"] == model.model_id
    assert told["bits_ratio_at_equal_picture"]["set"] == {"x264 medium": None}  # nobody looked for faces
    assert "libx264 preset=medium" in told["anchors"]["x264 medium"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:video/mp4;base64,") == 1  # at equal rate; equal quality needs LPIPS or landmarks
    assert read_pairs(tmp_path / "out").pairs[0].b.name == "x264 at its cheapest"  # 1.5 kbps are out of its reach


def test_report_is_written_of_what_there_is(group: Group, tmp_path: Path, model: Model) -> None:
    group.files["a"] = ClipFile(tmp_path / "a.mp4", "made", "a", "0")
    about = {"command": "facewire compare", "model_id": "m", "versions": {"av": "1"}, "missing": ["x265 medium"]}
    settings = Settings(weights=model.folder)
    write_report(tmp_path, [group], settings, {**about, "failed": [], "settings": settings.about()}, 0)
    page = (tmp_path / "report.html").read_text()
    assert "Not at hand here: x265 medium" in page
    assert '<td class="number">10.0</td>' in page
