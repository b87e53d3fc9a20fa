"""The dashboards, alerts and the runbook speak of figures that the server has, and of all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.env_example import ROOT
from deploy.grafana import PAGE, dashboard, panels
from signaling.errors import RefusalCode
from signaling.metrics import Metrics

MONITOR = ROOT / "deploy" / "monitor"
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
ALERTS = dict(re.findall(r"- alert: (\w+)\n\s+expr: (.*)", (MONITOR / "alerts.yml").read_text()))
NAME = re.compile(r"\bfacewire_[a-z_]+")


@pytest.fixture(scope="module")
def served() -> set[str]:
    """Names of all that /metrics gives."""
    page = Metrics(lambda: 0, lambda: 0, lambda: 0).page().decode()
    families = re.findall(r"^# TYPE (\S+) (\w+)", page, re.MULTILINE)
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + end for name, kind in families for end in ends.get(kind, ("",))}


def queries() -> Iterator[str]:
    for tile in panels()["tiles"]:
        yield tile["query"]
    for chart in panels()["charts"]:
        yield from (line["query"] for line in chart["lines"])
    yield from ALERTS.values()


def test_queries_name_what_is_served(served: set[str]) -> None:
    asked = {name for query in queries() for name in NAME.findall(query)}
    assert len(asked) >= 8
    assert asked <= served


def test_alerts_name_codes_that_there_are() -> None:
    named = {
        code
        for query in ALERTS.values()
        for found in re.findall(r'code=~?"([^"]+)"', query)
        for code in found.split("|")
    }
    assert named
    assert named <= {code.value for code in RefusalCode}


def test_runbook_says_what_each_figure_means(served: set[str]) -> None:
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served if not name.endswith("_created")}
    assert set(NAME.findall(RUNBOOK)) == families


@pytest.mark.parametrize("code", RefusalCode)
def test_runbook_says_what_each_refusal_means(code: RefusalCode) -> None:
    assert f"`{code.value}`" in RUNBOOK


@pytest.mark.parametrize("alert", ALERTS)
def test_runbook_says_what_to_do_about_each_alert(alert: str) -> None:
    assert f"`{alert}`" in RUNBOOK


def test_grafana_has_the_panels_of_our_page() -> None:
    """After a change: `make env-example`."""
    assert json.loads((MONITOR / "grafana.json").read_text()) == dashboard()


def test_prometheus_finds_no_expression_of_its_own_in_the_page() -> None:
    assert "{{" not in PAGE.read_text()


def test_files_of_the_runbook_are_there() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", RUNBOOK):
        assert (Path(ROOT / "docs") / path).exists(), path
