"""The OpenAPI page against the server: schemathesis asks all that the page allows, and much that it does not."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.signaling.guarded import API_KEY, TURN, Guarded, guarded_server

pytestmark = [pytest.mark.network, pytest.mark.slow]


async def ask_everything(server: Guarded, key: str, folder: Path, *which: str) -> tuple[int, str]:
    """Run schemathesis with this key; returns its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"),
        *(f"{server.http}/openapi.json", "--header", f"Authorization: Bearer {key}"),
        *("--checks", "all", "--max-examples", "15", "--generation-deterministic", "--no-color", *which),
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.parametrize("whose", ["operator", "seat"])
async def test_schemathesis_finds_nothing(tmp_path: Path, whose: str) -> None:
    async with guarded_server(**TURN, requests_per_min=1e6) as server:
        if whose == "operator":
            code, said = await ask_everything(server, API_KEY, tmp_path, "--exclude-path", "/ice-servers")
        else:
            code, said = await ask_everything(server, server.token(), tmp_path, "--include-path", "/ice-servers")
    assert code == 0, said
    assert "No issues found" in said
