"""Three machines made of network namespaces: two networks, each with one machine, and a router between them.

        a ── 10.77.1.0/24 ── router ── 10.77.2.0/24 ── b         a can be moved to 10.77.3.0/24

Real interfaces (veth pairs) with real addresses and routes, which can be cut and moved while programs use them. Needs
root and iproute2; NoNamespaces says in words what is missing.
"""

import os
import shutil
import subprocess
from types import TracebackType
from typing import Final, Literal, Self

End = Literal["a", "b"]
NUMBERS: Final[dict[End, int]] = {"a": 1, "b": 2}
ELSEWHERE: Final = 3


class NoNamespaces(Exception):
    """Network namespaces cannot be had here, and why."""


class Wires:
    """A context manager. Names hold the process's number, so that two runs do not meet."""

    def __init__(self) -> None:
        self._names = {end: f"facewire-{os.getpid()}-{end}" for end in ("router", "a", "b")}

    @property
    def router(self) -> str:
        """Address of the router, as both machines reach it."""
        return "10.77.1.1"

    def at(self, end: End | Literal["router"]) -> list[str]:
        """Words before a command that is to run on one of the machines."""
        return ["ip", "netns", "exec", self._names[end]]

    def __enter__(self) -> Self:
        """Plug everything in. Raises NoNamespaces."""
        if os.geteuid() != 0:
            raise NoNamespaces("network namespaces need root")
        if shutil.which("ip") is None:
            raise NoNamespaces("network namespaces need `ip`: apt-get install iproute2")
        try:
            self._build()
        except NoNamespaces:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take everything away again."""
        self._remove()

    def cut(self, end: End) -> None:
        """Pull the cable at the router: nothing passes, and the machine keeps its address."""
        self._in("router", "link", "set", f"to-{end}", "down")

    def mend(self, end: End) -> None:
        """Plug it in again."""
        self._in("router", "link", "set", f"to-{end}", "up")

    def move(self, end: End) -> None:
        """Take the machine to another network: its address goes, another one comes."""
        self._in(end, "address", "flush", "dev", "eth0", "scope", "global")
        self._join(end, ELSEWHERE)

    def second_address(self, end: End, there: bool) -> None:
        """Give the machine another address beside its own, or take it away again, as containers and tunnels do."""
        self._in(end, "address", "add" if there else "del", "10.78.0.2/24", "dev", "eth0")

    def _build(self) -> None:
        for name in self._names.values():
            _ip("netns", "add", name)
        for end, number in NUMBERS.items():
            self._in(
                "router", "link", "add", f"to-{end}", "type", "veth", "peer", "name", "eth0", "netns", self._names[end]
            )
            self._in("router", "address", "add", f"10.77.{number}.1/24", "dev", f"to-{end}")
            self._in("router", "link", "set", f"to-{end}", "up")
            self._in(end, "link", "set", "lo", "up")
            self._in(end, "link", "set", "eth0", "up")
            self._join(end, number)
        self._in("router", "address", "add", f"10.77.{ELSEWHERE}.1/24", "dev", "to-a")
        self._in("router", "link", "set", "lo", "up")
        _run([*self.at("router"), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])

    def _join(self, end: End, number: int) -> None:
        self._in(end, "address", "add", f"10.77.{number}.2/24", "dev", "eth0")
        self._in(end, "route", "replace", "default", "via", f"10.77.{number}.1")

    def _in(self, end: End | Literal["router"], *words: str) -> None:
        _ip("-n", self._names[end], *words)

    def _remove(self) -> None:
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    _run(["ip", *words])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNamespaces(f"network namespaces cannot be set up here: {' '.join(command)}: {done.stderr.strip()}")
