"""What the images are built from, without building them."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docker.env_example import ROOT

LOADED = """
import sys, signaling.cli, signaling.new_room, signaling.redis_rooms
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def named(file: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in file.read_text().splitlines())
    return {canonicalize_name(re.split("[<>=[ ]", line)[0]) for line in lines if line}


def with_needs(names: set[str]) -> set[str]:
    """Distributions, and all that they need."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for line in distribution(name).requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting |= {canonicalize_name(needed.name)} - found
    return found


def test_signaling_image_holds_what_the_server_imports() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    providers = packages_distributions()
    imported = {canonicalize_name(provider) for name in loaded for provider in providers.get(name, ())}
    installed = with_needs(named(ROOT / "docker" / "signaling.txt"))
    # pyjwt and redis take cryptography where it is there; HS256 and our Redis do without
    assert imported - {"facewire", "setuptools", "cryptography", "cffi"} <= installed
    assert not installed & {"torch", "aiortc", "av", "numpy", "opencv-python-headless"}


def test_versions_are_pinned() -> None:
    pinned = named(ROOT / "requirements.lock")
    assert with_needs(named(ROOT / "docker" / "signaling.txt")) <= pinned
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {canonicalize_name(Requirement(line).name) for line in project["dependencies"]} <= pinned
    installs = re.findall(r"apt-get install -qqy ([^>]*)", (ROOT / "docker" / "Dockerfile").read_text())
    packages = [word.strip("'") for line in installs for word in line.split()]
    assert packages
    assert {word for word in packages if "=" not in word} <= {"ca-certificates"}


def test_version_of_the_images_is_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{FACEWIRE_VERSION:-([^}]*)\}", text)) == {project["version"]}


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_well_formed(script: Path) -> None:
    shell = script.read_text().splitlines()[0].removeprefix("#!/bin/")
    subprocess.run([shell, "-n", script], check=True)
    assert os.access(script, os.X_OK)
