"""Two engines over loopback: what a call costs on the wire, in good and bad networks, and how long a picture takes.

Wire: both sides send motion that was read from a clip beforehand, 30 frames a second, and sound, all the time; so the
figures do not hang on how busy this machine is. Loss and delay are injected where datagrams are received, with a seed.
Delay: one side films the clip, the other shows it: camera, crop, networks, wire, playout, rendering, JPEG. This part
does hang on the machine; `extract_ms` and `render_ms` say what the networks took meanwhile.

    python -m benchmarks.call [--input CLIP] [--sound CLIP] [--seconds S] [--long S] [--only-wire] [--json]

Checks itself: in every case the connection stays for as long as it is measured, five minutes where packets are lost, no
state is worse than "unstable", motion and sound come. Exit code 1 where not, or where the wire takes more than 45 kbps.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.two_engines import (
    CLIP,
    RATE,
    SPOKEN,
    Material,
    film,
    keep_looking,
    look_often,
    play_motion,
    read_material,
    two_engines,
    until,
)
from call.conversation import Conversation
from call.engine import Engine
from models.weights import Model, load_model

SETTLE_S = 3.0
CASES = ((0.0, 0.0), (0.1, 0.3), (0.2, 0.1))
"""Share of datagrams lost, round trip in s."""
BADNESS = ("in_call", "unstable", "reconnecting", "ended")
MOST_KBPS = 45.0


async def measure_wire(model: Model, finder: Any, material: Material, loss: float, rtt_s: float, seconds: float) -> Any:
    """One row: kbps of both directions, as the first side sees them, and whether the call stayed up."""
    async with two_engines(model, finder, loss, rtt_s, 1.0) as (sides, tasks):
        engines = [engine for engine, _ in sides]
        for engine in engines:
            engine.start(consent=False)
            engine.own.consent = True
            engine.set_source(material.source)
        tasks.append(asyncio.create_task(engines[1].run()))
        for engine in engines:
            tasks += [asyncio.create_task(play(engine, material)) for play in (play_motion, keep_looking)]
            tasks.append(asyncio.create_task(look_often(engine)))
        await until(lambda: all(front.shown for _, front in sides), 90, "both sides to see each other")
        await asyncio.sleep(SETTLE_S)
        conversations = [_talk(engine) for engine in engines]
        first = conversations[0]
        before = _counts(first)
        heard, begin_s = sides[0][1].packets, time.monotonic()
        await asyncio.sleep(seconds)
        elapsed_s = time.monotonic() - begin_s
        stayed = [engine.conversation for engine in engines] == conversations
        after = _counts(first)
        up, down, payload_up, payload_down = (
            round((late - early) * 8 / 1000 / elapsed_s, 2) for early, late in zip(before, after, strict=True)
        )
        smoother = first.incoming.smoother
        return {
            "loss": loss,
            "rtt_ms": round(1000 * rtt_s),
            "seconds": round(elapsed_s, 1),
            "wire_kbps_up": up,
            "wire_kbps_down": down,
            "payload_kbps_up": payload_up,
            "payload_kbps_down": payload_down,
            "stayed": stayed,
            "worst_state": worst([state for _, front in sides for state in front.states]),
            "times_unstable": sum(front.states.count("unstable") for _, front in sides),
            "sound_packets_share": round((sides[0][1].packets - heard) * 0.06 / elapsed_s, 3),
            "frames_received_a_second": round(first.incoming.frames / first._elapsed_s(), 1),
            "pictures_in_time_share": round(smoother.on_time_share or 0.0, 3),
            "longest_freeze_s": round(smoother.longest_freeze_s, 2),
            "lost_messages_share": round(first.incoming.loss, 3),
            "frames_left_out_or_dropped": conversations[1].outgoing.frames_dropped,
            "sent_as": str(conversations[1].outgoing.plan),
        }


def worst(states: list[str]) -> str:
    """Return the worst of the states of a call that stood."""
    return max((state for state in states if state in BADNESS), key=BADNESS.index)


def failures(row: dict[str, Any]) -> list[str]:
    """Say in words what a case does not reach."""
    name = f"{row['loss']:.0%} lost, {row['rtt_ms']} ms"
    kbps = max(row["wire_kbps_up"], row["wire_kbps_down"])
    found = []
    if not row["stayed"] or BADNESS.index(row["worst_state"]) > BADNESS.index("unstable"):
        found.append(f"{name}: expected the connection to stay, the call was {row['worst_state']}")
    if kbps > MOST_KBPS:
        found.append(f"{name}: expected {MOST_KBPS:g} kbps on the wire at most, it took {kbps:g}")
    if not row["sound_packets_share"] or not row["frames_received_a_second"]:
        found.append(f"{name}: expected motion and sound, got none of one")
    return found


def _talk(engine: Engine) -> Conversation:
    """The conversation of an engine that is in a call."""
    assert engine.conversation is not None, "expected a call"
    return engine.conversation


def _counts(conversation: Any) -> tuple[int, int, int, int]:
    tap = conversation.peer.tap
    sent = conversation.outgoing.sender.payload_bytes
    return tap.sent.bytes, tap.received.bytes, sent, conversation.incoming.payload_bytes


async def measure_delay(
    model: Model, finder: Any, material: Material, seconds: float, face_threshold: float = 0.5
) -> dict[str, Any]:
    """From the moment a frame is given to one engine to that at which its picture is ready as JPEG at the other."""
    async with two_engines(model, finder, 0.0, 0.0, RATE, face_threshold) as (sides, tasks):
        (filming, _), (watching, front) = sides
        filming.start(consent=True)
        tasks.append(asyncio.create_task(film(filming, material)))
        await until(lambda: filming.own_source is not None, 30, "a picture to be taken")
        began_s = time.monotonic()
        watching.start(consent=False)
        tasks.append(asyncio.create_task(watching.run()))
        await until(lambda: front.shown, 60, "a picture")
        join_s = front.shown[0][0] - began_s
        await asyncio.sleep(seconds)
        # capture times on the watcher's clock began when its conversation did; the filmer's began at its own
        offset_s = filming._begin_clock_s + _talk(filming).begin_s - _talk(watching).begin_s
        delays_ms = sorted(1000 * (at_s - time_s - offset_s) for at_s, time_s in front.shown[10:])
        if len(delays_ms) < 10:
            raise SystemExit(f"expected pictures for {seconds:g} s, got {len(delays_ms)}")
        return {
            "camera_to_screen_ms_p50": round(delays_ms[len(delays_ms) // 2], 1),
            "camera_to_screen_ms_p95": round(delays_ms[int(0.95 * len(delays_ms))], 1),
            "join_to_picture_s": round(join_s, 3),
            "pictures_a_second": round(len(front.shown) / seconds, 1),
            "extract_ms": filming.watching.times.percentiles_ms("extract"),
            "render_ms": watching.screen.times.percentiles_ms("render"),
            "playout_delay_ms": round(_talk(watching).incoming.smoother.delay_ms, 1),
        }


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure everything."""
    from models.face_finder_weights import load_finder
    from models.runtime.prepare import prepare

    model = load_model()
    if not arguments.torch:
        model = prepare(model, ["extract", "render"], say=lambda line: print(line, file=sys.stderr)).model
    finder = load_finder(model.folder)
    material = read_material(model, arguments.input, arguments.sound, finder)
    rows = []
    for loss, rtt_s in CASES:
        seconds = arguments.seconds if not loss else arguments.long
        rows.append(await measure_wire(model, finder, material, loss, rtt_s, seconds))
        print(json.dumps(rows[-1]), file=sys.stderr)
    names = ("wire_kbps_up", "wire_kbps_down", "payload_kbps_up", "payload_kbps_down")
    delay = {} if arguments.only_wire else await measure_delay(model, finder, material, arguments.seconds)
    return {**{name: rows[0][name] for name in names}, **delay, "cases": rows}


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, default=CLIP, help="clip with a face")
    parser.add_argument("--sound", type=Path, default=SPOKEN, help="clip with a voice; noise where it is missing")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the case without loss, and of the delay")
    parser.add_argument("--long", type=float, default=300.0, help="seconds of each case with loss")
    parser.add_argument(
        "--only-wire", action="store_true", help="not how long a picture takes, which needs quiet cores"
    )
    parser.add_argument("--torch", action="store_true", help="plain torch, without looking for the quickest way")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    result = asyncio.run(run(arguments))
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        for name, value in result.items():
            if name != "cases":
                print(f"{name:28} {value}")
        for row in result["cases"]:
            print(row)
    found = [words for row in result["cases"] for words in failures(row)]
    for words in found:
        print(words, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
