"""The demo's programs: real processes of this same `facewire`, started, watched and always ended."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from replay.errors import DemoError

STOP_S = 5.0  # how long a program may take to end when it is asked to
POLL_S = 0.05


class Program:
    """One running `facewire NAME ...`; its words go to a file, so that no pipe can fill and block it."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        """Start it. Raises OSError when the process cannot be made."""
        self.name = name
        self.log = log
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "facewire", name, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                # PYTHONUNBUFFERED: a line counts when it is written, not when a buffer is full.
                env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "120"},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def exit_code(self) -> int | None:
        """Exit code, None while it runs; negative when a signal ended it."""
        return self._process.poll()

    @property
    def words(self) -> str:
        """What it has written so far, both streams."""
        return self.log.read_text(errors="replace").strip()

    def wait_for(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """Wait until its words match. Raises DemoError when it ends before, or does not say so in time."""
        found: list[re.Match[str]] = []

        def said() -> bool:
            ended = self.exit_code is not None  # asked first: what it wrote before its end is then in the file
            found.extend(re.finditer(pattern, self.words))
            if ended and not found:
                raise self.failure(f"ended with exit code {self.exit_code} before it was ready")
            return bool(found)

        if not _wait(said, timeout_s):
            raise self.failure(f"was not ready after {timeout_s:g} s")
        return found[0]

    def stop(self) -> None:
        """Ask it to end, wait, and insist. Does nothing to a program that has ended."""
        if self.exit_code is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def failure(self, what: str) -> DemoError:
        """Make the error that says what went wrong and quotes the program's last words."""
        lines = (line.strip("│╭╮╰╯─ ") for line in self.words.splitlines())  # typer frames its usage errors
        quoted = " | ".join([line for line in lines if line][-12:])
        return DemoError(f"`facewire {self.name}` {what}; it said: {quoted or '(nothing)'}")


def wait_for_all(programs: Sequence[Program], timeout_s: float) -> None:
    """Wait for the good end of all. The first that fails ends the wait, so that no one waits for its lost partner.

    Raises DemoError with the words of the one that failed or took longer than `timeout_s`.
    """

    def over() -> bool:
        codes = [program.exit_code for program in programs]
        return None not in codes or any(code not in (None, 0) for code in codes)

    _wait(over, timeout_s)
    for program in sorted(programs, key=lambda program: program.exit_code in (None, 0)):  # bad ends speak first
        if program.exit_code is None:
            raise program.failure(f"did not end within {timeout_s:.0f} s")
        if program.exit_code != 0:
            raise program.failure(f"ended with exit code {program.exit_code}")


def wait_for_first(first: Program, others: Sequence[Program], timeout_s: float) -> None:
    """Wait for the good end of one program. Raises DemoError where it, or before it one of the others, fails."""

    def over() -> bool:
        return first.exit_code is not None or any(other.exit_code not in (None, 0) for other in others)

    _wait(over, timeout_s)
    for program in (first, *others) if first.exit_code is None else (first,):
        if program.exit_code not in (None, 0):
            raise program.failure(f"ended with exit code {program.exit_code}")


def _wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return met
