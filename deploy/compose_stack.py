"""docker-compose.yml as a running thing, for compose_test.py: with Docker, or with a tool that does its work by Podman.

The standard library alone, so that it runs with any Python.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


DEPENDENT = 3
"""How many containers depend on each other in a row: redis, signaling, room."""


class Failed(Exception):
    """Something is not as the runbook says."""


class Stack:
    """One project of containers; `settings` is what .env would say, and may be changed between two `up`.

    Args: project: its name. tool: a file that stands in for Docker. folder: for what is copied out of containers.
    """

    def __init__(self, project: str, tool: str | None, folder: Path, settings: Mapping[str, str]) -> None:
        self.project = project
        self.folder = folder
        self.settings = dict(settings)
        docker = shutil.which("docker") is not None and _succeeds("docker", "info")
        self.engine = "docker" if docker else "podman"
        self._tool = None if docker else tool
        if not docker and (tool is None or not Path(tool).is_file()):
            raise Failed(f"expected a Docker daemon, or the tool of --tool; got neither ({tool})")

    @property
    def with_docker(self) -> bool:
        """Whether Docker runs it, rather than Podman."""
        return self._tool is None

    def build(self, *services: str) -> Iterator[str]:
        """Build images; what the builder says is shown where that fails."""
        for service in services:
            begin_s = time.monotonic()
            self._compose("build", service, limit_s=3600)
            yield f"{service} in {time.monotonic() - begin_s:.0f} s"

    def up(self, *services: str) -> None:
        """Start services, anew where their settings have changed."""
        if self._tool is None:
            self._compose("up", "-d", "--no-build", *services)
        else:
            self._compose("up", *services)

    def down(self) -> Iterator[str]:
        """Stop everything, and forget the volumes."""
        self._compose("down", limit_s=300)
        for _ in range(DEPENDENT):
            for name in self._listed("ps", "-aq"):  # Podman removes none that another one depends on
                self._run("rm", "-f", name, check=False)
        for volume in self._listed("volume", "ls", "-q"):
            self._run("volume", "rm", "-f", volume, check=False)
        left = self._listed("ps", "-aq")
        yield f"{len(left)} containers left"

    def remove(self, *services: str) -> None:
        """Take containers away, whatever they do."""
        for service in services:
            for name in self._listed("ps", "-aq", service=service):
                self._run("rm", "-f", name)

    def forget(self, volume: str) -> None:
        """Remove a volume that nobody uses."""
        self._run("volume", "rm", "-f", f"{self.project}_{volume}", check=False)

    def container(self, service: str) -> str:
        """The id of a service's container. Raises Failed where it has none."""
        found = self._listed("ps", "-aq", service=service)
        if not found:
            raise Failed(f"expected a container of {service}, there is none")
        return found[0]

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """Run a command in a service's container; returns what it prints."""
        return self._run("exec", self.container(service), *command, check=check)

    def logs(self, service: str) -> str:
        """All that a service has said."""
        done = self._process([self.engine, "logs", self.container(service)])
        return done.stdout + done.stderr

    def inspect(self, service: str, form: str) -> str:
        """One of the facts that the engine knows of a container."""
        return self._run("inspect", "--format", form, self.container(service)).strip()

    def running(self, service: str) -> bool:
        """Whether the container runs."""
        return self.inspect(service, "{{.State.Running}}") == "true"

    def healthy(self, service: str) -> bool:
        """Whether the health check that docker-compose.yml gives passes now."""
        if self._tool is None:
            return self.inspect(service, "{{.State.Health.Status}}") == "healthy"
        return self._process([self.engine, "healthcheck", "run", self.container(service)]).returncode == 0

    def kill_inside(self, service: str) -> None:
        """End a service's first process from outside as a crash would, so that it is restarted as after one."""
        os.kill(int(self.inspect(service, "{{.State.Pid}}")), 9)

    def stop(self, service: str) -> float:
        """Stop a service as `docker compose stop` does; returns the seconds that it took."""
        begin_s = time.monotonic()
        self._run("stop", self.container(service))
        return time.monotonic() - begin_s

    def start(self, service: str) -> None:
        """Start it again."""
        self._run("start", self.container(service))

    def copied(self, service: str, path: str) -> str:
        """The text of a file in a container, which need not run any more."""
        target = self.folder / Path(path).name
        target.unlink(missing_ok=True)
        self._run("cp", f"{self.container(service)}:{path}", str(target))
        return target.read_text()

    def image_mb(self, service: str) -> float:
        """Size of the image of a service, in 10^6 bytes."""
        images = json.loads(self._run("image", "inspect", self._image(service)))
        return float(images[0]["Size"]) / 1e6

    def run_once(self, service: str, options: list[str], *command: str) -> "subprocess.CompletedProcess[str]":
        """Run an image by itself, without network, until it ends."""
        return self._process(
            [self.engine, "run", "--rm", "--network", "none", *options, self._image(service), *command]
        )

    def _image(self, service: str) -> str:
        return f"{self.settings['FACEWIRE_IMAGES']}/{service}:{self.settings['FACEWIRE_VERSION']}"

    def _compose(self, *command: str, limit_s: float = 600) -> None:
        arguments = ["bash", self._tool, *command] if self._tool is not None else ["docker", "compose", *command]
        done = self._process(arguments, limit_s)
        if done.returncode != 0:
            sys.stderr.write(done.stdout[-6000:] + done.stderr[-6000:])
            raise Failed(f"expected `{' '.join(command)}` to succeed, exit status {done.returncode}")

    def _listed(self, *command: str, service: str | None = None) -> list[str]:
        labels = [f"label=com.docker.compose.project={self.project}"]
        labels += [f"label=com.docker.compose.service={service}"] if service is not None else []
        return self._run(*command, *(word for label in labels for word in ("--filter", label))).split()

    def _run(self, *command: str, check: bool = True) -> str:
        done = self._process([self.engine, *command])
        if check and done.returncode != 0:
            raise Failed(f"expected `{self.engine} {' '.join(command)}` to succeed: {done.stderr.strip()[-500:]}")
        return done.stdout

    def _process(self, command: list[str], limit_s: float = 120) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, **self.settings, "COMPOSE_PROJECT_NAME": self.project}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
        )


def wait(what: str, ready: Callable[[], bool], within_s: float, each_s: float = 0.5) -> float:
    """Wait until something is so; returns the seconds it took. Raises Failed with `what` in its words."""
    begin_s = time.monotonic()
    while not ready():
        if time.monotonic() - begin_s > within_s:
            raise Failed(f"expected {what} within {within_s:g} s")
        time.sleep(each_s)
    return time.monotonic() - begin_s


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
