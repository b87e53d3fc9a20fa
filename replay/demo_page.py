"""The demo for a person: a call in the browser, with somebody on the other side who is a clip.

the person's browser <-> facewire call <===== WebRTC =====> facewire call --input CLIP --loop
|_________ facewire signal _________|
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from rich.console import Console
from rich.table import Table

from replay.programs import Program, wait_for_first

START_S: Final = 120.0
LONGEST_S: Final = 4 * 3600.0
"""Then the demo ends by itself."""


def somebody_is_there(
    environment: Mapping[str, str] = os.environ, terminal: TextIO | None = None, platform: str = sys.platform
) -> bool:
    """Whether a person started this, where a page can be opened: a terminal and a display, no CI, no remote shell."""
    terminal = terminal or sys.stdout
    if not terminal.isatty() or environment.get("CI", "").lower() not in ("", "0", "false"):
        return False
    if platform.startswith(("win", "darwin")):
        return "SSH_CONNECTION" not in environment
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def run_page_demo(clip: Path, folder: Path, weights: Path | None, open_page: bool = True) -> dict[str, Any]:
    """Make the call and return what it came to, which is also left in folder/call.json.

    Ends when the person leaves the call or closes the page. Raises DemoError with the words of a program that failed.
    """
    console = Console()
    common = ["--weights", str(weights)] if weights else []
    report = folder / "call.json"
    with TemporaryDirectory(prefix="facewire-demo-") as scratch:
        logs = Path(scratch)
        with Program("signal", ["--port", "0"], logs / "signal.log") as signal:
            server = signal.wait_for(r"ready on (ws://\S+)", START_S)[1]
            mine = ["--server", server, "--report", str(report), *common, *([] if open_page else ["--no-browser"])]
            with console.status("loading the networks ..."), Program("call", mine, logs / "call.log") as page:
                link = page.wait_for(r"joins with:\s+facewire call (\S+)", START_S)[1]
                address = page.wait_for(r"the page is at (http://\S+)", START_S)[1]
                with Program("call", [link, "--input", str(clip), "--loop", *common], logs / "clip.log") as other:
                    console.print(f"the page of a call: {address}", highlight=False, soft_wrap=True)
                    console.print("Start the call there: whom you see is a clip. The demo ends when you leave.")
                    wait_for_first(page, [other], LONGEST_S)
    figures: dict[str, Any] = json.loads(report.read_text())
    console.print(call_table(figures))
    return figures


def call_table(figures: Mapping[str, Any]) -> Table:
    """What a call came to, for a terminal."""
    table = Table(title="The call, as your side counted it", show_header=False, min_width=60)
    table.add_column(style="dim")
    table.add_column(justify="right")
    joined_s = figures["joined_s"]
    talked_s = max(figures["duration_s"] - joined_s, 1e-3) if joined_s is not None else None
    table.add_row("ended", str(figures["ended"]))
    table.add_row("seconds together", "-" if talked_s is None else f"{talked_s:.0f}")
    for name, key in (("wire", "wire_bytes"), ("payload", "payload_bytes")):
        rates = [figures[f"{key}_{way}"] * 8 / 1000 / talked_s if talked_s else None for way in ("out", "in")]
        words = " / ".join("-" if rate is None else f"{rate:.1f}" for rate in rates)
        table.add_row(f"{name}, there / back, pictures of both included", f"{words} kbps")
    table.add_row("frames sent / pictures shown", f"{figures['frames_sent']} / {figures['frames_shown']}")
    return table
