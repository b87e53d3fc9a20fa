"""Two engines in one process for an hour: does what they hold grow, and is anything left over when they are done?

Each films a clip as a page would (JPEG, 10 a second), speaks all the time and shows 5 pictures a second, with the
shipped networks: half a core. As in a long call things happen meanwhile: the network goes for eight seconds each
quarter of an hour, a new source picture is sent each ten minutes, a line is written each minute, somebody looks at
himself or turns the other's face.

    python -m benchmarks.soak [--minutes 60] [--json]

The bars, and the exit code 1: memory grows by no more than 5 % after the first ten minutes; when the call is over there
are as many tasks, threads and open handles as before it (a short call before that has loaded what stays loaded).
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.footprint import Footprint, fill_pool, growth, handles, thread_names
from benchmarks.long_call import SETTINGS, Side, live, talking
from benchmarks.two_engines import CLIP, SPOKEN, Material, read_material
from call.settings import CallSettings
from models.face_finder import FaceFinder
from models.weights import Model

SETTLED_MINUTES: Final = 10
MOST_GROWTH: Final = 0.05


async def soak(
    model: Model,
    finder: FaceFinder,
    material: Material,
    minutes: int,
    minute_s: float = 60.0,
    settings: CallSettings = SETTINGS,
) -> dict[str, Any]:
    """Make the call; returns a row a minute and what was left over."""
    async with talking(model, finder, material, settings):
        await asyncio.sleep(min(3.0, minute_s))
    await fill_pool()
    before, held, threads = Footprint.now(), handles(), Counter(thread_names())
    rows: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    async with talking(model, finder, material, settings) as sides:
        begin_s = loop.time()
        for minute in range(minutes):
            await live(sides, material, minute, minute_s)
            await asyncio.sleep(max(0.0, begin_s + (minute + 1) * minute_s - loop.time()))
            rows.append(_row(minute + 1, sides))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        states = [dict(side.front.states) for side in sides]
    await asyncio.sleep(1)
    after, more, more_threads = Footprint.now(), Counter(handles()), Counter(thread_names())
    more.subtract(held)
    more_threads.subtract(threads)
    left = {name: getattr(after, name) - getattr(before, name) for name in ("tasks", "threads", "handles")}
    memory = [row["rss_mb"] for row in rows]
    return {
        "minutes": minutes,
        "rss_growth": round(growth(memory, SETTLED_MINUTES - 1), 4) if minutes > SETTLED_MINUTES else None,
        "left_over": left,
        "handles_left_over": sorted((+more).elements()),
        "threads_left_over": sorted((+more_threads).elements()),
        "before": asdict(before),
        "after": asdict(after),
        "states": states,
        "rows": rows,
    }


def _row(minute: int, sides: list[Side]) -> dict[str, Any]:
    return {
        "minute": minute,
        **asdict(Footprint.now()),
        "states": [str(side.engine.progress.state) for side in sides],
        "pictures": [side.front.pictures for side in sides],
        "packets": [side.front.packets for side in sides],
    }


def failures(result: dict[str, Any]) -> list[str]:
    """What of the bars is not met, in words."""
    found = []
    if result["rss_growth"] is not None and result["rss_growth"] > MOST_GROWTH:
        found.append(f"expected memory to grow by {MOST_GROWTH:.0%} at most, it grew by {result['rss_growth']:.1%}")
    for name, count in result["left_over"].items():
        if count > 0:
            found.append(f"expected no {name} to be left over, {count} are: {result.get(f'{name}_left_over', '')}")
    rows = result["rows"]
    still = [late["minute"] for early, late in zip(rows, rows[1:], strict=False) if _stands(early, late)]
    if still:
        found.append(f"expected pictures and sound in every minute, none came in {still}")
    return found


def _stands(early: dict[str, Any], late: dict[str, Any]) -> bool:
    return any(late[name][side] <= early[name][side] for name in ("pictures", "packets") for side in (0, 1))


def main() -> None:
    """Read the arguments, run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--minute-s", type=float, default=60.0, help="seconds of a minute: less to try it out")
    parser.add_argument("--input", type=Path, default=CLIP, help="clip with a face")
    parser.add_argument("--sound", type=Path, default=SPOKEN, help="clip with a voice; noise where it is missing")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    result = run(arguments)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"memory grew by {result['rss_growth']} after minute {SETTLED_MINUTES}; left over: {result['left_over']}")
    found = failures(result)
    for words in found:
        print(words, file=sys.stderr)
    sys.exit(1 if found else 0)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Load the networks as `facewire call` does, and make the call."""
    from models.face_finder_weights import load_finder
    from models.runtime.prepare import prepare
    from models.weights import load_model

    torch.set_num_threads(1)
    model = prepare(load_model(), ["extract", "render"], say=lambda line: print(line, file=sys.stderr)).model
    finder = load_finder(model.folder)
    material = read_material(model, arguments.input, arguments.sound, finder)
    return asyncio.run(soak(model, finder, material, arguments.minutes, arguments.minute_s))


if __name__ == "__main__":
    main()
