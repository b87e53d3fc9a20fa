"""Choices on disk: measured once for a model on a machine, read at every later start.

    $XDG_CACHE_HOME/facewire/runtimes/<key>/choice.json     one folder a model, shapes, machine and versions
    $XDG_CACHE_HOME/facewire/runtimes/<key>/render.xml ...  graphs converted by a way, if it keeps them

Whatever is wrong with these files costs a measurement, never a call.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.runtime.choose import Choice, Measured

VERSION = 2  # raised when ways, tolerances or the file change


def cache_folder() -> Path:
    """Where this user's caches lie (XDG base directories)."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / "facewire" / "runtimes"


def key_of(facts: dict[str, Any]) -> str:
    """One word for all that a measurement hangs on."""
    canonical = json.dumps({"version": VERSION, **facts}, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:20]


def read_choice(folder: Path, ways: set[str]) -> Choice | None:
    """The choice kept in a folder; None where there is none, it is damaged, or its way is unknown."""
    try:
        stored = json.loads((folder / "choice.json").read_text())
        measured = tuple(Measured(**entry) for entry in stored.pop("measured"))
        choice = Choice(**stored, measured=measured)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return choice if choice.way in ways and isinstance(choice.why, str) else None


def keep_choice(folder: Path, choice: Choice) -> None:
    """Write a choice whole or not at all; a disk that cannot be written is no error."""
    part = folder / f"choice.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(choice), indent=2) + "\n")
        part.replace(folder / "choice.json")
    except OSError:
        with suppress(OSError):
            part.unlink()


def forget(folder: Path) -> None:
    """Remove what ways keep in a folder: it is about to be made anew."""
    for path in (*folder.glob("*.xml"), *folder.glob("*.bin")):
        with suppress(OSError):
            path.unlink()


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold a lock among this user's programs, so that two that start together do not measure each other."""
    try:
        import fcntl

        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except (ImportError, OSError):  # no such locks here: the figures may be a little worse
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
