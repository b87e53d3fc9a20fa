"""The environment in which landmarks are found: MediaPipe 0.10.21 needs numpy < 2, so it gets a python of its own.

It is the last release whose wheel holds the models, so nothing is downloaded when it runs. Versions are pinned, and
installed without their dependencies: MediaPipe asks for an OpenCV that needs libGL where the headless one will do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from models.training.errors import PrepareError

PINNED = (
    "absl-py==2.5.1",
    "attrs==26.1.0",
    "cffi==2.1.1",
    "contourpy==1.3.3",
    "cycler==0.12.1",
    "flatbuffers==25.12.19",
    "fonttools==4.68.0",
    "jax==0.7.1",
    "jaxlib==0.7.1",
    "kiwisolver==1.5.1",
    "matplotlib==3.11.2",
    "mediapipe==0.10.21",
    "ml_dtypes==0.5.4",
    "numpy==1.26.4",
    "opencv-contrib-python-headless==4.11.0.86",
    "opt_einsum==3.4.0",
    "packaging==26.3",
    "pillow==13.0.0",
    "protobuf==4.25.9",
    "pycparser==3.12",
    "pyparsing==3.3.3",
    "python-dateutil==4.0.0",
    "scipy==1.17.1",
    "sentencepiece==0.2.3",
    "six==1.17.0",
    "sounddevice==0.5.6",
)
# jax 0.7.1 begins at Python 3.11, MediaPipe's wheels end at 3.12.
PYTHONS = ("3.11", "3.12")
DONE = "facewire-ready"


def default_folder() -> Path:
    """Where the environment is kept for all projects: $XDG_CACHE_HOME/facewire or ~/.cache/facewire."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "facewire" / "mediapipe-0.10.21"


def ready_python(folder: Path) -> Path | None:
    """The environment's python, or None when it has not been made (or only half made)."""
    python = folder / "bin" / "python"
    return python if (folder / DONE).is_file() and python.exists() else None


def make_environment(folder: Path) -> Path:
    """Make the environment where it is not there yet and return its python.

    Raises `PrepareError` when no fitting Python is found or the packages cannot be installed; the next call starts
    again.
    """
    ready = ready_python(folder)
    if ready:
        return ready
    python = folder / "bin" / "python"
    _run([_base_python(), "-m", "venv", "--clear", str(folder)], "make a Python environment")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*install, "--only-binary=:all:", *PINNED], "install MediaPipe 0.10.21")
    _run([str(python), "-c", "import mediapipe; mediapipe.solutions.face_mesh"], "import MediaPipe")
    (folder / DONE).write_text("\n".join(PINNED) + "\n")
    return python


def _base_python() -> str:
    """A Python for which MediaPipe has a wheel: this one if it fits, else one on the PATH."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" in PYTHONS:
        return sys.executable
    for version in PYTHONS:
        found = shutil.which(f"python{version}")
        if found:
            return found
    raise PrepareError(
        f"MediaPipe 0.10.21 needs Python {' or '.join(PYTHONS)}: this is {sys.version.split()[0]}, the PATH has none"
    )


def _run(command: list[str], task: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise PrepareError(f"could not {task}: {last[0]}")
