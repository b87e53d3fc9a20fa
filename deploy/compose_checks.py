"""What compose_test.py looks at besides calls: images, start, hardening, figures, logs, stop."""

import json
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from deploy.compose_stack import Failed, Stack, wait

MOST_SIGNALING_MB = 250.0
IMAGES = ("signaling", "redis", "coturn", "proxy", "prometheus", "media")
WEAK = ("too-short", "change-me-please-before-you-start-it")
JOIN = """
import json, ssl, sys
from websockets.sync.client import connect
url, token = sys.argv[1].split("#")
with connect(url, ssl=ssl._create_unverified_context(), proxy=None) as socket:
    socket.send(json.dumps({"type": "join", "role": "call", "token": token}))
    for message in socket:
        print(message, flush=True)
"""


def expect(what: str, fact: bool) -> None:
    """Raise Failed unless it is so."""
    if not fact:
        raise Failed(f"expected {what}")


def ask(port: str, path: str, key: str = "", method: str = "GET") -> tuple[int, Any]:
    """Ask a server of the stack over this machine's ports; returns status and JSON, or text."""
    plain = path.startswith(("/api", "/consoles"))
    request = urllib.request.Request(f"{'http' if plain else 'https'}://127.0.0.1:{port}{path}", method=method)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
    )
    try:
        with opener.open(request, timeout=10) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    except OSError:
        return 0, ""
    try:
        return status, json.loads(body)
    except ValueError:
        return status, body.decode(errors="replace")


def new_links(stack: Stack, port: str) -> list[str]:
    """Make a room as an operator does."""
    key = (stack.folder / "secrets" / "api_key").read_text()
    status, room = ask(port, "/rooms", key, "POST")
    expect(f"a room, got {status}: {room}", status == 201)
    return [str(seat["link"]) for seat in room["seats"]]


def images(stack: Stack) -> Iterator[str]:
    """Sizes, and no torch where there is to be none."""
    sizes = {name: stack.image_mb(name) for name in IMAGES}
    yield ", ".join(f"{name} {size:.0f} MB" for name, size in sizes.items())
    expect(f"a signaling image under {MOST_SIGNALING_MB:g} MB", sizes["signaling"] < MOST_SIGNALING_MB)
    look = "import importlib.util as u, sys; sys.exit(any(u.find_spec(n) for n in ('torch', 'aiortc', 'numpy', 'av')))"
    expect(
        "no torch, aiortc, numpy or av in the signaling image",
        stack.run_once("signaling", ["--entrypoint", "python3"], "-c", look).returncode == 0,
    )


def weak_secrets(stack: Stack) -> Iterator[str]:
    """No server starts with a short or default secret; each says so, and not the secret."""
    file = stack.folder / "weak"
    for weak in WEAK:
        file.write_text(weak)
        for service, name in (("redis", "redis_password"), ("coturn", "turn_secret"), ("signaling", "token_secret")):
            options = ["--tmpfs", "/tmp", "-v", f"{file}:/run/secrets/{name}:ro"]
            if service == "signaling":
                options += ["-e", f"FACEWIRE_TOKEN_SECRET_FILE=/run/secrets/{name}"]
            done = stack.run_once(service, options, *(["signal"] if service == "signaling" else []))
            said = (done.stdout + done.stderr).strip()
            refused = done.returncode != 0 and "expected a" in said
            expect(f"{service} to refuse a weak secret in words, got status {done.returncode}: {said}", refused)
            expect(f"the words of {service} without the secret, got {said}", weak not in said)
            yield f"{service}: {said.splitlines()[-1][:160]}"


def hardening(stack: Stack, *services: str) -> Iterator[str]:
    """Nobody is root, nobody may become root, nothing of the image can be changed."""
    for service in services:
        status = stack.inside(service, "cat", "/proc/1/status")
        facts = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\S+)", status, re.MULTILINE))
        expect(f"{service} not to be root, got {facts}", facts["Uid"] != "0")
        expect(
            f"{service} without capabilities, got {facts}", int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0
        )
        expect(f"{service} without new privileges, got {facts}", facts["NoNewPrivs"] == "1")
        written = stack.inside(service, "sh", "-c", "touch /written 2>&1; true")
        expect(f"a root file system of {service} that is read-only, got {written!r}", "Read-only" in written)
    yield f"{', '.join(services)}: no root, no capabilities, no new privileges, read-only"


def figure(stack: Stack, query: str) -> float:
    """Ask Prometheus; 0 where it has nothing."""
    path = f"/api/v1/query?query={urllib.parse.quote(query)}"
    _, answer = ask(stack.settings["MONITOR_PORT"], path)
    found = answer["data"]["result"] if isinstance(answer, dict) and answer.get("status") == "success" else []
    return float(found[0]["value"][1]) if found else 0.0


def monitor(stack: Stack) -> Iterator[str]:
    """Prometheus reads both servers and knows of the calls that were made."""
    wait("figures of two signaling servers", lambda: figure(stack, 'sum(up{job="signaling"})') == 2, 60)
    for words, query in (
        ("minutes of calls", "sum(facewire_call_minutes_total)"),
        ("minutes of relayed calls", 'sum(facewire_call_minutes_total{way="relayed"})'),
        ("joins", "sum(facewire_joins_total)"),
        ("refusals while Redis was gone", 'sum(facewire_refusals_total{code="unavailable"})'),
    ):
        # counters of a server that was killed began anew; what they were is still known
        worth = f"sum(max_over_time(({query})[1h:5s]))"
        wait(words, lambda worth=worth: figure(stack, worth) > 0, 30)  # type: ignore[misc]
        yield f"{words}: {figure(stack, worth):.3g}"
    status, page = ask(stack.settings["MONITOR_PORT"], "/consoles/facewire.html")
    expect(f"the dashboard, got {status}", status == 200 and "Peers in a call" in page)
    _, rules = ask(stack.settings["MONITOR_PORT"], "/api/v1/rules")
    found = [rule for group in rules["data"]["groups"] for rule in group["rules"]]
    expect(f"alerts that can be evaluated, got {found}", bool(found) and all(rule["health"] != "err" for rule in found))
    yield f"{len(found)} alerts; dashboard at http://127.0.0.1:{stack.settings['MONITOR_PORT']}/consoles/facewire.html"


def join_by_hand(stack: Stack, link: str) -> "subprocess.Popen[str]":
    """Join from inside a container; its output has a line for each message."""
    own = re.sub(r"//[^/]+", "//127.0.0.1:8765", link)
    command = ["exec", stack.container("signaling"), "python3", "-c", JOIN, own]
    return subprocess.Popen([stack.engine, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def refused_join(stack: Stack, link: str) -> dict[str, Any]:
    """Join where it is to be refused; returns the refusal."""
    with join_by_hand(stack, link) as joining:
        assert joining.stdout is not None
        answer: dict[str, Any] = json.loads(joining.stdout.readline() or "{}")
        joining.kill()
    expect(f"a refusal, got {answer}", answer.get("type") == "refused")
    return answer


def graceful_stop(stack: Stack) -> Iterator[str]:
    """A server that is stopped tells its peers, and ends by itself within its grace."""
    link = new_links(stack, stack.settings["SIGNALING_PORT"])[0]
    with join_by_hand(stack, link) as joining:
        assert joining.stdout is not None
        expect("to be joined", '"joined"' in joining.stdout.readline())
        took_s = stack.stop("signaling")
        told = [json.loads(line) for line in joining.stdout.read().splitlines()]
    expect(f"to be told why, got {told}", any(message.get("code") == "stopping" for message in told))
    code = stack.inspect("signaling", "{{.State.ExitCode}}")
    expect(f"exit status 0, got {code}", code == "0")
    yield f"stopped in {took_s:.1f} s; its peer was told: {told[-1].get('reason')}"
    stack.start("signaling")
    wait("signaling to be back", lambda: ask(stack.settings["SIGNALING_PORT"], "/readyz")[0] == 200, 30)


def logs_are_clean(stack: Stack, *services: str) -> Iterator[str]:
    """No secret, no token, no description in what anybody has said."""
    names = ("api_key", "token_secret", "turn_secret", "redis_password")
    secrets = [(stack.folder / "secrets" / name).read_text() for name in names]
    lines = 0
    for service in services:
        said = stack.logs(service)
        lines += said.count("\n")
        found = [name for name, secret in zip(names, secrets, strict=True) if secret in said]
        found += [word for word in ("eyJ", "a=candidate", "BEGIN") if word in said]
        expect(f"logs of {service} without secrets, got {found}", not found)
    yield f"{lines} lines of {len(services)} services: no key, no token, no description"


def settle(seconds: float) -> None:
    """Let what was begun get under way."""
    time.sleep(seconds)
