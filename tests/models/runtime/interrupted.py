"""Renders as `facewire receive` does, OpenVINO in a thread beside the event loop, until Ctrl-C comes in mid-frame.

Ends with 130 where the interrupt came through and everything was let go of; a crash would end with its signal.
"""

import asyncio
import signal
import sys
from pathlib import Path

from models.runtime.examples import example
from models.runtime.openvino_graph import OpenVino
from models.weights import build_model
from signaling.terminal import run

FRAMES = 5  # before the interrupt


def main(folder: Path) -> int:
    """Convert a graph into `folder`, or read the one kept there, and render; returns the exit code."""
    graph, frames = example(build_model("tiny"), "render")
    runner = OpenVino(folder).build(graph)
    runner.fix(*graph.fixed)

    async def render() -> None:
        loop = asyncio.get_running_loop()
        for number in range(1000):
            if number == FRAMES:
                loop.call_soon(signal.raise_signal, signal.SIGINT)
            await loop.run_in_executor(None, runner.run, *frames[number % len(frames)])

    try:
        run(render())
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
