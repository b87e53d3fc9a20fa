"""`make compose-test`: docker-compose.yml for real. Builds, starts, calls, kills, recovers, stops; words for each step.

    --tool FILE      what stands in for Docker where there is none: FILE build|up|down, with Podman
    --no-build       the images of the last run
    --keep           leave everything running at the end

Calls are made by the containers `sender` and `receiver` over this machine's own address, as people's calls are: names,
ports, certificates and the relay are those of docker-compose.yml. Exit status 0: all is as docs/operations.md says.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from deploy import compose_checks as checks
from deploy.compose_checks import ask, expect
from deploy.compose_stack import ROOT, Failed, Stack, wait

NAME = "calls.facewire.test"
FOLDER = ROOT / "build" / "compose-test"
BASE = ("signaling", "redis", "coturn")
MEDIA = ("room", "sender", "receiver")
BUILT = (*BASE, "proxy", "prometheus", "sender")
"""The others run one of these images, too."""
SERVICES = (*BASE, "signaling-2", "proxy", "prometheus", *MEDIA)
CALL_LIMIT_S = 300.0
OUTAGE_S = 30.0
MEDIA_BYTES = 20_000
"""More than ICE's own checks over a relay, less than the media of a short call."""


def settings() -> dict[str, str]:
    """What .env would say: other ports and networks than a facewire that may run here already."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # asks the routing table, sends nothing
        own = str(probe.getsockname()[0])
    ports = {"SIGNALING": 18765, "PROXY": 18443, "MONITOR": 19090, "TURN": 13478, "TURN_TLS": 15349}
    return {
        **{f"{name}_PORT": str(port) for name, port in ports.items()},
        "TURN_MIN_PORT": "50160",
        "TURN_MAX_PORT": "50199",
        "PUBLIC_NAME": NAME,
        "HOST_GATEWAY": own,
        "TURN_EXTERNAL_IP": own,
        "INSIDE_SUBNET": "10.213.79.0/24",
        "INSIDE_RANGE": "10.213.79.128/25",
        "PROXY_ADDRESS": "10.213.79.2",
        "FACEWIRE_IMAGES": "facewire-test",
        "FACEWIRE_VERSION": "test",
        "SECRETS": str(FOLDER / "secrets"),
        "ENV_FILE": str(FOLDER / "env"),
        "COMPOSE_PROFILES": "media,monitor,scale",
    }


def make_secrets(stack: Stack) -> Iterable[str]:
    """Run deploy/setup.sh as a person would, into a folder of this test."""
    command = [str(ROOT / "deploy" / "setup.sh"), NAME]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **stack.settings}, check=True, capture_output=True, text=True
    )
    # what people report is to be in the figures before a short call is over
    with (FOLDER / "env").open("a") as file:
        file.write("FACEWIRE_REPORT_EACH_S=2\nFACEWIRE_TORCH_THREADS=1\nFACEWIRE_RUNTIME=torch\n")
    return done.stdout.splitlines()


def start(stack: Stack, *services: str) -> Iterable[str]:
    """Start services and wait until their health checks pass."""
    stack.up(*services)
    for service in services:
        took_s = wait(f"{service} to be healthy", lambda service=service: stack.healthy(service), 90)  # type: ignore[misc]
        yield f"{service} is healthy after {took_s:.1f} s"


def call(stack: Stack, relay: str = "", during: Callable[[], Iterable[str]] = tuple) -> Iterable[str]:
    """Make a call between two containers, over a relay (udp, tls) or direct; `during` happens in the midst of it."""
    stack.remove(*MEDIA)
    for volume in ("links", "media"):
        stack.forget(volume)
    stack.settings.update(FACEWIRE_RELAY_ONLY="1" if relay else "", FACEWIRE_TURN_TRANSPORT=relay)
    sent_before = relayed_bytes(stack)
    begin_s = time.monotonic()
    stack.up(*MEDIA)
    wait("the call to begin", lambda: began(stack), 180)
    yield f"the call began {time.monotonic() - begin_s:.0f} s after `up`"
    checks.settle(2)
    yield from during()
    for service in ("sender", "receiver"):
        wait(f"{service} to end", lambda service=service: ended(stack, service), CALL_LIMIT_S)  # type: ignore[misc]
        code = stack.inspect(service, "{{.State.ExitCode}}")
        if code != "0":
            raise Failed(f"expected {service} to end well, exit status {code}:\n{stack.logs(service)[-1500:]}")
    yield judge(json.loads(stack.copied("receiver", "/media/facewire/receive.json")), "relayed" if relay else "direct")
    if relay:
        wait("coturn to say so", lambda: relayed_bytes(stack) - sent_before > MEDIA_BYTES, 20)
    else:
        checks.settle(3)
    crossed = relayed_bytes(stack) - sent_before
    yield f"{crossed} B through the relay"
    expect(f"no media through the relay unless it is asked for, got {crossed} B", bool(relay) or crossed < MEDIA_BYTES)


def judge(report: dict[str, Any], way: str) -> str:
    """Say what came of a call. Raises Failed where frames are missing, or it went another way."""
    announced, shown = report["frames_announced"], report["frames_shown"]
    words = f"{shown} of {announced} frames shown, {report['wire_kbps_in']:.1f} kbps on the wire, {report['way']}"
    expect(f"nine frames of ten to be shown at least, got {words}", bool(announced) and shown >= 0.9 * announced)
    expect(f"a call that is {way}, got {words}", report["way"] == way)
    return words


def began(stack: Stack) -> bool:
    """Whether media flows, or the sender has given up, of which its exit status tells. Raises Failed without a room."""
    if ended(stack, "room") and stack.inspect("room", "{{.State.ExitCode}}") != "0":
        raise Failed(f"expected a room for the call: {stack.logs('room').strip()}")
    return "send: sending" in stack.logs("sender") or ended(stack, "sender")


def ended(stack: Stack, service: str) -> bool:
    """Whether a container has run and does no more."""
    return stack.inspect(service, "{{.State.Status}}") in ("exited", "stopped")


def relayed_bytes(stack: Stack) -> int:
    """What coturn says it has sent for its peers, in bytes, from all sessions that are over."""
    return sum(int(found) for found in re.findall(r"usage:.* sb=(\d+)", stack.logs("coturn")))


def kill_one(stack: Stack) -> Iterable[str]:
    """Kill a signaling server: the other one takes new rooms at once, and the killed one comes back."""
    stack.kill_inside("signaling")
    yield "signaling killed in mid-call"
    took_s = wait(
        "a room over the proxy",
        lambda: ask(stack.settings["PROXY_PORT"], "/rooms", key(stack), "POST")[0] == 201,
        10,
        0.1,
    )
    yield f"a new room over the proxy {took_s:.1f} s after that"
    took_s = wait("signaling to be back", lambda: ask(stack.settings["SIGNALING_PORT"], "/readyz")[0] == 200, 60)
    yield f"signaling itself is back {took_s:.1f} s later"


def stop_redis(stack: Stack, gone_s: list[float]) -> Iterable[str]:
    """Stop Redis and note when: new joins are refused in words. It stays away for the rest of the call."""
    port = stack.settings["SIGNALING_PORT"]
    link = checks.new_links(stack, port)[0]
    stack.stop("redis")
    gone_s.append(time.monotonic())
    took_s = wait("/readyz to say so", lambda: ask(port, "/readyz")[0] == 503, 20)
    yield f"Redis is gone; /readyz says so after {took_s:.1f} s: {ask(port, '/readyz')[1]}"
    refusal = checks.refused_join(stack, link)
    expect(f"the code unavailable, got {refusal}", refusal["code"] == "unavailable")
    yield f"a join is refused: {refusal['reason']}"
    status, words = ask(stack.settings["PROXY_PORT"], "/rooms", key(stack), "POST")
    expect(f"503 and words over the proxy, got {status}: {words}", status == 503 and "reason" in words)
    yield f"a room is refused over the proxy: {words['reason']}"


def start_redis(stack: Stack, gone_s: list[float]) -> Iterable[str]:
    """Have Redis back after half a minute at least."""
    checks.settle(max(0.0, gone_s[0] + OUTAGE_S - time.monotonic()))
    away_s = time.monotonic() - gone_s[0]
    stack.start("redis")
    took_s = wait("/readyz to say so", lambda: ask(stack.settings["SIGNALING_PORT"], "/readyz")[0] == 200, 30)
    yield f"Redis was gone for {away_s:.0f} s; ready {took_s:.1f} s after it is back"
    checks.new_links(stack, stack.settings["PROXY_PORT"])


def key(stack: Stack) -> str:
    """The operator's key."""
    return (stack.folder / "secrets" / "api_key").read_text()


def step(words: str, happening: Iterable[str]) -> None:
    """Say what comes, what came of it, and how long it took."""
    print(f"\n== {words}", flush=True)
    begin_s = time.monotonic()
    for line in happening:
        print(f"   {line}", flush=True)
    print(f"   done in {time.monotonic() - begin_s:.0f} s", flush=True)


def run(stack: Stack, build: bool) -> None:
    """All steps, in order. Raises Failed."""
    step("Take away what an earlier run left", stack.down())
    step("Keys and a certificate: deploy/setup.sh", make_secrets(stack))
    if build:
        step("Build the images", stack.build(*BUILT))
    step("Look at the images", checks.images(stack))
    step("Refuse weak secrets", checks.weak_secrets(stack))
    step("Start signaling, redis and coturn", start(stack, *BASE))
    step("Look at their rights", checks.hardening(stack, *BASE))
    step("A call, direct", call(stack))
    step("A call forced through TURN over UDP", call(stack, "udp"))
    step("A call forced through TURN over TLS", call(stack, "tls"))
    stack.settings["FACEWIRE_PUBLIC_URL"] = f"wss://{NAME}:{stack.settings['PROXY_PORT']}"
    stack.remove(*MEDIA, "signaling")
    step(
        "Two signaling servers behind a proxy, and Prometheus",
        start(stack, "signaling", "signaling-2", "proxy", "prometheus"),
    )
    step("Look at their rights", checks.hardening(stack, "signaling-2", "proxy", "prometheus"))
    step("A call over the proxy; one server is killed", call(stack, during=lambda: kill_one(stack)))
    gone_s: list[float] = []
    step("A call; Redis goes", call(stack, "udp", during=lambda: stop_redis(stack, gone_s)))
    step("Redis comes back", start_redis(stack, gone_s))
    step("A call after it all", call(stack))
    step("Figures and dashboard", checks.monitor(stack))
    step("Stop a server", checks.graceful_stop(stack))
    step("Look for secrets in the logs", checks.logs_are_clean(stack, *SERVICES))


def main() -> int:
    """Run the steps, and take everything down whatever came of them."""
    parser = argparse.ArgumentParser(prog="make compose-test", description="docker-compose.yml for real.")
    parser.add_argument("--tool", help="stands in for Docker where there is none")
    parser.add_argument("--no-build", action="store_true", help="the images of the last run")
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    chosen = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    begin_s = time.monotonic()
    try:
        stack = Stack("facewire-test", chosen.tool, FOLDER, settings())
        try:
            run(stack, not chosen.no_build)
        finally:
            if not chosen.keep:
                step("Take everything down", stack.down())
    except Failed as failed:
        print(f"\ncompose-test: {failed}", file=sys.stderr)
        return 1
    print(f"\ncompose-test: all is well, {time.monotonic() - begin_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
