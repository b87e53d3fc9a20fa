"""One person's motion on another's picture, and turned faces: a report's section for each set of clips.

FV2V Table 2 and SAP Table 2 (cross-identity), FV2V Table 3 (face redirection). Their networks for identity and pose are
others, and so are their clips: the published rows stand beside ours for the order of magnitude.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.training.landmarker import Landmarker
from replay.compare.clip import ClipFile
from replay.compare.measure import recogniser_here
from replay.compare.ours import model_at
from replay.compare.page import SECTIONS
from replay.compare.work import Settings, reference_of
from replay.errors import CompareError
from replay.people import Image, Looker, Person
from replay.redirection import TURNS, Turned, redirect, summarise
from replay.reenactment import MODES, Drawn, Reenactment, choose_pairs, mean_of, measure, reenact

SHEET_COLUMNS: Final = 8
SHEET_PX: Final = 160
PUBLISHED_3: Final = (
    ["pSp, as FV2V has it", "", "", "", "57.3 %", "99.8 %", "57.3 %"],
    ["Rotate-and-Render, as FV2V has it", "", "", "", "55.1 %", "87.2 %", "50.8 %"],
    ["FV2V", "", "", "", "94.3 %", "90.9 %", "85.9 %"],
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Sheet:
    """Columns of pictures of equal height."""

    rows: tuple[str, ...]
    columns: list[tuple[Image, ...]]

    def write(self, path: Path) -> None:
        """Write some of the columns beside each other, spread over all of them."""
        chosen = np.unique(np.linspace(0, len(self.columns) - 1, SHEET_COLUMNS).round().astype(int))
        columns = [np.concatenate([_small(cell) for cell in self.columns[n]]) for n in chosen]
        cv2.imwrite(str(path), cv2.cvtColor(np.concatenate(columns, 1), cv2.COLOR_RGB2BGR))


def write_cross_sections(files: Sequence[ClipFile], settings: Settings, out: Path, say: Say) -> None:
    """Measure every set of clips that has not been, and leave its section in `out`.

    Raises CompareError where there are no landmarks to measure by, or a set has one person only.
    """
    if settings.mediapipe_python is None:
        raise CompareError("--cross-identity: expected landmarks, without --no-landmarks: poses are read from them")
    (out / SECTIONS).mkdir(parents=True, exist_ok=True)
    for group in sorted({file.group for file in files}):
        chosen = [file for file in files if file.group == group]
        key = {**settings.about(), "clips": {file.name: file.sha256 for file in chosen}}
        told = out / f"cross-{group}.json"
        if not _is_done(told, key):
            say(f"cross-identity: {group}")
            told.write_text(json.dumps({"about": key, **_measure(chosen, settings, out)}, indent=1) + "\n")
        section = _section(group, json.loads(told.read_text()))
        (out / SECTIONS / f"cross-{group}.json").write_text(json.dumps(section, indent=1) + "\n")


def _is_done(path: Path, key: dict[str, Any]) -> bool:
    try:
        return bool(json.loads(path.read_text())["about"] == key)
    except (OSError, ValueError, KeyError):
        return False


def read_people(files: Sequence[ClipFile], settings: Settings, looker: Looker, size: int) -> list[Person]:
    """The measured frames of clips, scaled to the model's size. Clips `NAME_0`, `NAME_1` show the same person."""
    people = []
    for file in files:
        reference = reference_of(file, settings)
        pictures = [_scaled(reference.pictures[number], size) for number in reference.measured]
        times = tuple(float(number / reference.rate) for number in reference.measured)
        people.append(Person(file.name, file.name.rsplit("_", 1)[0], tuple(pictures), times, looker.look(pictures)))
    return people


def _measure(files: Sequence[ClipFile], settings: Settings, out: Path) -> dict[str, Any]:
    """Both parts' figures, as JSON has them, and their sheets beside it."""
    model, group = model_at(settings.weights), files[0].group
    assert settings.mediapipe_python is not None  # asked for by the caller
    with Landmarker(settings.mediapipe_python) as landmarker:
        looker = Looker(landmarker, recogniser_here())
        people = read_people(files, settings, looker, model.config.size)
        pairs = choose_pairs(people)
        if not pairs:
            raise CompareError(f"--cross-identity: expected clips of several people in {group}, got one person's")
        rows: list[Reenactment] = []
        drawn: dict[str, list[Drawn]] = {}
        for one in reenact(model, pairs):
            rows.append(measure(one, looker))
            drawn.setdefault(f"{one.source.name} {one.driver.name}", []).append(one)
        turned = list(redirect(model, people, looker))
    columns = [_cross_column(list(each)) for each in drawn.values()]
    _Sheet(("source", "driver", *MODES[:2]), columns).write(out / SECTIONS / f"cross-{group}.png")
    faced = [(one.source, one.picture) for one in turned if one.turn is None]
    if faced:
        _Sheet(("picture", "faced"), list(faced)).write(out / SECTIONS / f"faced-{group}.png")
    return {
        "people": len({person.identity for person in people}),
        "rows": [asdict(row) for row in rows],
        "means": {mode: mean_of([row for row in rows if row.mode == mode]) for mode in MODES},
        "redirection": _redirections(turned, looker.recogniser is not None),
    }


def _cross_column(drawn: list[Drawn]) -> tuple[Image, ...]:
    """Source, driver at its most turned frame, and what became of it in the first two modes."""
    by_mode = {one.mode: one for one in drawn}
    driver = drawn[0].driver
    start = driver.seen.rotations[0]
    away = [np.trace(R @ start.T) if np.isfinite(R).all() else 3.0 for R in driver.seen.rotations]
    at = int(np.argmin(away))
    return (drawn[0].source.pictures[0], driver.pictures[at], *(by_mode[mode].pictures[at] for mode in MODES[:2]))


def _redirections(turned: Sequence[Turned], recognised: bool) -> dict[str, Any]:
    asked = {"to the viewer": None, **{_words(turn): turn for turn in TURNS}}
    groups = {name: [one for one in turned if one.turn == turn] for name, turn in asked.items()}
    return {name: asdict(summarise(group, recognised)) for name, group in groups.items() if group}


def _words(turn: tuple[float, float, float]) -> str:
    yaw, pitch, _ = turn
    return f"yaw {yaw:+.0f}" if yaw else f"pitch {pitch:+.0f}"


def _section(group: str, told: dict[str, Any]) -> dict[str, Any]:
    """The section as `page.read_sections` reads it."""
    parts: list[dict[str, Any]] = [_cross_table(told), {"picture": f"cross-{group}.png", "caption": CROSS_CAPTION}]
    parts.append(_turn_table(told["redirection"]))
    if "to the viewer" in told["redirection"]:
        parts.append({"picture": f"faced-{group}.png", "caption": "Pictures, and below them turned to the viewer."})
    return {"title": f"{group}: other people's motion, and turned faces", "parts": parts}


CROSS_CAPTION: Final = "From above: the source picture, the driver, absolute motion, relative motion."


def _cross_table(told: dict[str, Any]) -> dict[str, Any]:
    heads = ["motion", "head off by", "expression off by", "mouth, lids follow", "same person"]
    heads += ["identity: to the source", "to the driver"]
    rows = []
    for mode, means in told["means"].items():
        follow = f"{_number(means['mouth_correlation'], 2)}, {_number(means['blink_correlation'], 2)}"
        person = _percent(means["same_person"])
        near = [_number(means[name], 2) for name in ("identity_source", "identity_driver")]
        moved = f"{_number(means['expression_percent'], 1)} %"
        rows.append([mode, f"{_number(means['pose_deg'], 1)}°", moved, follow, person, *near])
    pairs = len(told["rows"]) // len(told["means"])
    caption = (
        f"{pairs} pairs of {told['people']} people. Expression: mean distance of landmarks without pose and neutral "
        "face, of the face's height; same person: distance under 0.6 by dlib's network. SAP's Table 2 has AED 0.349 to "
        "the source on TalkingHead-1KH (FV2V 0.377, FOMM 0.572), by another network."
    )
    return {"caption": caption, "heads": heads, "rows": rows}


def _turn_table(found: dict[str, Any]) -> dict[str, Any]:
    heads = ["turned", "pictures", "off by, before", "off by, after", "same person", "within 15°", "both"]
    rows = []
    for name, row in found.items():
        shares = [_percent(row[key]) for key in ("good_identity", "good_angle", "both")]
        off = [f"{_number(row[key], 1)}°" for key in ("start_deg", "angle_deg")]
        rows.append([name, str(row["pictures"]), *off, *shares])
    caption = (
        "Faces turned to the viewer and to other views (FV2V Table 3), within the model's limits: a turn of 30° is "
        "slowed down. FV2V counts identity by another network."
    )
    return {"caption": caption, "heads": heads, "rows": rows + [list(row) for row in PUBLISHED_3]}


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _scaled(picture: Image, size: int) -> Image:
    if picture.shape[0] == size:
        return picture
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _small(picture: Image) -> Image:
    return np.asarray(cv2.resize(picture, (SHEET_PX, SHEET_PX), interpolation=cv2.INTER_AREA), np.uint8)
