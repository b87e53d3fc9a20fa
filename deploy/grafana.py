"""Writes Grafana's dashboard: `python -m deploy.grafana > deploy/monitor/grafana.json`, for teams that have it.

The panels are those of our own dashboard, which is the only place where their queries are written.
"""

import json
import re
from typing import Any

from deploy.env_example import ROOT

PAGE = ROOT / "deploy" / "monitor" / "consoles" / "facewire.html"
SOURCE = {"type": "prometheus", "uid": "${source}"}
UNITS = {"": "short", "kbps": "Kbits", "s": "s", "ms": "ms"}


def panels() -> dict[str, list[dict[str, Any]]]:
    """Read the list of tiles and charts from the page."""
    found = re.search(r'<script id="panels" type="application/json">(.*?)</script>', PAGE.read_text(), re.DOTALL)
    assert found is not None, "the page has its panels in a script of this id"
    listed: dict[str, list[dict[str, Any]]] = json.loads(found[1])
    return listed


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it; it asks for the Prometheus to use."""
    tiles, charts = panels()["tiles"], panels()["charts"]
    placed = [_tile(tile, number, 3 * (number % 8), 0) for number, tile in enumerate(tiles)]
    placed += [_chart(chart, len(tiles) + n, 12 * (n % 2), 4 + 8 * (n // 2)) for n, chart in enumerate(charts)]
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "title": "facewire",
        "uid": "facewire",
        "schemaVersion": 39,
        "version": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": placed,
    }


def _tile(tile: dict[str, Any], number: int, x: int, y: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "text", "value": None}]
    if "below" in tile:
        steps = [{"color": "red", "value": None}, {"color": "text", "value": tile["below"]}]
    if "above" in tile:
        steps.append({"color": "red", "value": tile["above"]})
    defaults = {"unit": UNITS[tile["unit"]], "decimals": tile.get("digits", 0)}
    return {
        **_panel("stat", tile["title"], number, x, y, 3, 4),
        "targets": [{"refId": "A", "datasource": SOURCE, "expr": tile["query"], "instant": True}],
        "fieldConfig": {"defaults": {**defaults, "thresholds": {"mode": "absolute", "steps": steps}}, "overrides": []},
        "options": {"graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}},
    }


def _chart(chart: dict[str, Any], number: int, x: int, y: int) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": UNITS[chart["unit"]], "min": 0, "custom": {"lineWidth": 2, "fillOpacity": 0}}
    if "mark" in chart:
        steps = [{"color": "text", "value": None}, {"color": "orange", "value": chart["mark"]}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["custom"]["thresholdsStyle"] = {"mode": "dashed"}
    targets = [
        {"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": line["query"], "legendFormat": _legend(line["name"])}
        for n, line in enumerate(chart["lines"])
    ]
    return {
        **_panel("timeseries", chart["title"], number, x, y, 12, 8),
        "description": chart["help"],
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def _panel(kind: str, title: str, number: int, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    place = {"x": x, "y": y, "w": width, "h": height}
    return {"id": number + 1, "type": kind, "title": title, "datasource": SOURCE, "gridPos": place}


def _legend(name: str) -> str:
    """Labels have two braces in Grafana; one in our page, because Prometheus would take two for its own."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", name)


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=1))
