"""A call between two programs on real interfaces whose network goes and comes back: how soon, and in what words.

    python -m benchmarks.outage [--gone-s 20] [--json]

Four cases: one side's cable is pulled for so long; both are; one side moves to another network, with another address;
at last it is killed. Time counts from the moment that the network is back (or the address new) until both sides say "in
call" and have seen and heard something new, or until the other side has words for the one that was killed. Exit code 1
where that takes longer than 5 s, or a side has no words. Needs root.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks.caller import ROOT, Caller, wait_for
from benchmarks.wires import End, NoNamespaces, Wires

PORT: Final = 8765
START_S: Final = 90.0
BACK_S: Final = 5.0
PATIENCE_S: Final = 60.0


@contextmanager
def calling(wires: Wires) -> Iterator[dict[End, Caller]]:
    """Run a server on the router and a program on each machine; yields them once both see and hear each other."""
    command = [
        *wires.at("router"),
        sys.executable,
        "-m",
        "facewire",
        "signal",
        "--host",
        "0.0.0.0",
        "--port",
        str(PORT),
    ]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    sides: dict[End, Caller] = {}
    try:
        assert server.stdout is not None
        if "ready" not in (line := server.stdout.readline()):
            raise SystemExit(f"expected the signaling server to be ready, it said {line!r}")
        link = f"ws://{wires.router}:{PORT}/rooms/outage"
        for end in ("a", "b"):
            sides[end] = Caller(link, wires.at(end))
        began_s = time.monotonic()
        flows = [side.flows_since(began_s) for side in sides.values()]
        wait_for(lambda: all(each() for each in flows), START_S, "both sides to see and hear each other")
        yield sides
    finally:
        for side in sides.values():
            side.end()
        server.terminate()
        server.wait(10)


def lose(wires: Wires, sides: dict[End, Caller], ends: tuple[End, ...], gone_s: float) -> dict[str, Any]:
    """Pull the cables of these machines for so long."""
    said = _said(sides)
    for end in ends:
        wires.cut(end)
    cut_s = time.monotonic()
    noticed_s = wait_for(lambda: all(side.state == "reconnecting" for side in sides.values()), gone_s, "both to notice")
    time.sleep(max(0.0, cut_s + gone_s - time.monotonic()))
    for end in ends:
        wires.mend(end)
    return {"noticed_s": round(noticed_s - cut_s, 2), **_back(sides, said)}


def move(wires: Wires, sides: dict[End, Caller]) -> dict[str, Any]:
    """Take one machine to another network."""
    said = _said(sides)
    wires.move("a")
    return _back(sides, said)


def kill(sides: dict[End, Caller]) -> dict[str, Any]:
    """Kill one of the programs; the other one says so, and keeps its seat for a while."""
    stays = sides["b"]
    said = len(stays.states)
    sides["a"].kill()
    killed_s = time.monotonic()
    noticed_s = wait_for(
        lambda: any(state["state"] == "reconnecting" for state in stays.states[said:]),
        PATIENCE_S,
        "words for it",
    )
    return {"back_s": round(noticed_s - killed_s, 2), "words": {"b": stays.reasons[said:]}}


def _said(sides: dict[End, Caller]) -> dict[End, int]:
    return {end: len(side.states) for end, side in sides.items()}


def _back(sides: dict[End, Caller], said: dict[End, int]) -> dict[str, Any]:
    """Wait until both are back; what each said meanwhile."""
    back_s = time.monotonic()
    flows = [side.flows_since(back_s) for side in sides.values()]
    came_s = wait_for(
        lambda: (
            all(each() for each in flows) and all(_reconnected(side.states[said[end] :]) for end, side in sides.items())
        ),
        PATIENCE_S,
        "both sides to come back",
    )
    return {
        "back_s": round(came_s - back_s, 2),
        "words": {end: side.reasons[said[end] :] for end, side in sides.items()},
    }


def _reconnected(states: list[dict[str, Any]]) -> bool:
    return any(said["state"] == "reconnecting" for said in states) and states[-1]["state"] == "in_call"


def measure(gone_s: float) -> dict[str, dict[str, Any]]:
    """Every case in one call, one after another. Raises NoNamespaces."""
    with Wires() as wires, calling(wires) as sides:
        return {
            "one side gone": lose(wires, sides, ("a",), gone_s),
            "both sides gone": lose(wires, sides, ("a", "b"), gone_s),
            "address changed": move(wires, sides),
            "killed": kill(sides),
        }


def main() -> None:
    """Read the arguments, measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gone-s", type=float, default=20.0, help="seconds without network")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    try:
        rows = measure(arguments.gone_s)
    except NoNamespaces as error:
        sys.exit(str(error))
    if arguments.json:
        print(json.dumps(rows, indent=1))
    for name, row in rows.items():
        if not arguments.json:
            print(f"{name}: {'noticed' if name == 'killed' else 'back'} within {row['back_s']} s")
            for end, words in row["words"].items():
                print(f"  {end}: {'; '.join(word for word in words if word)}")
    late = [name for name, row in rows.items() if row["back_s"] > BACK_S or not all(map(any, row["words"].values()))]
    sys.exit(f"expected both to be back within {BACK_S:g} s and to say so, not so: {', '.join(late)}" if late else 0)


if __name__ == "__main__":
    main()
