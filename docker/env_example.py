"""Writes .env.example from the settings classes: `python -m docker.env_example > .env.example`.

Every setting of every program once, with what it means, its unit and range, and its default; above them what
docker-compose.yml itself asks for. tests/docker/test_env_example.py holds the file to what this prints.
"""

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from call.settings import CallSettings
from receiver.settings import ReceiveSettings
from sender.settings import SendSettings
from signaling.settings import SignalSettings, TransportSettings

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "FACEWIRE_"
PROGRAMS: dict[str, type[BaseSettings]] = {
    "signal": SignalSettings,
    "send": SendSettings,
    "receive": ReceiveSettings,
    "call": CallSettings,
    "every peer": TransportSettings,
}
UNITS = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_bytes": "bytes",
    "_kbps": "kbit/s (1000 bits)",
    "_per_s": "a second",
    "_per_min": "a minute",
    "_rate": "a second",
    "_fps": "a second",
}
WIDTH = 118


def example() -> str:
    """Return the whole file."""
    parts = [(ROOT / "docker" / "env_head.txt").read_text()]
    shared = {name for name in _all_names() if len(_readers(name)) > 1}
    for program, kind in PROGRAMS.items():
        heading = f"the programs of {program}" if program.startswith("every") else f"`facewire {program}`"
        parts.append(f"# --- {heading} ---\n")
        parts.extend(_entry([program], name) for name in kind.model_fields if name not in shared)
    parts.append("# --- several programs ---\n")
    parts.extend(_entry(_readers(name), name) for name in _all_names() if name in shared)
    return "\n".join(parts)


def _readers(name: str) -> list[str]:
    return [program for program, kind in PROGRAMS.items() if name in kind.model_fields]


def said_by_compose() -> dict[str, str]:
    """What docker-compose.yml makes of each variable that it names, in words."""
    lines = re.findall(rf"^ +({PREFIX}\w+): (.*)$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    return {name: _said(name, value) for name, value in lines}


def _said(name: str, value: str) -> str:
    default = re.fullmatch(rf"\$\{{{name}:-(.*)\}}", value)
    if default is None:
        return "docker-compose.yml sets it"
    if "$" in default[1]:
        return "made by docker-compose.yml"
    return f"{default[1]} in docker-compose.yml" if default[1] else ""


def _all_names() -> list[str]:
    return list(dict.fromkeys(name for kind in PROGRAMS.values() for name in kind.model_fields))


def _entry(programs: list[str], name: str) -> str:
    """One setting: its words, unit, range, and the commented line with its default."""
    fields = [PROGRAMS[program].model_fields[name] for program in programs]
    words = " ".join(docstrings(PROGRAMS[programs[0]])[name].split())
    notes = [_kind(name, fields[0])]
    defaults = [_default(field) for field in fields]
    if len(programs) > 1:
        notes.append(f"read by {', '.join(programs)}")
    if len(set(defaults)) > 1:
        notes.append("default " + ", ".join(f"{d or 'none'} in {p}" for p, d in zip(programs, defaults, strict=True)))
    variable = PREFIX + name.upper() + ("_FILE" if _is_secret(fields[0]) else "")
    notes += filter(None, [said_by_compose().get(variable)])
    text = textwrap.fill(
        f"{words} [{'; '.join(notes)}]", WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    return f"{text}\n#{variable}={defaults[0]}\n"


def docstrings(kind: type[BaseSettings]) -> dict[str, str]:
    """Return the words below each field of a settings class. Raises KeyError later for a field without any."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, words in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(words, ast.Expr):
            found[field.target.id] = str(ast.literal_eval(words.value))
    return found


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _default(field: FieldInfo) -> str:
    """As it is written in the environment; empty for none, and for what is found out when the program starts."""
    value = field.default
    if value is None or value is PydanticUndefined or field.default_factory is not None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) and value < 1e6 and value == round(value, 3) else str(value)


def _kind(name: str, field: FieldInfo) -> str:
    """Unit, or kind, and range."""
    if _is_secret(field):
        return f"file with the secret; the value itself may be in {PREFIX}{name.upper()}"
    unit = next((UNITS[end] for end in sorted(UNITS, key=len, reverse=True) if name.endswith(end)), None)
    ends = _ends(field)
    return " ".join(part for part in (unit or _type(field.annotation), ends) if part)


def _ends(field: FieldInfo) -> str:
    """The range in words. Optional fields carry theirs in the annotation."""
    metadata = [*field.metadata, *(m for arg in get_args(field.annotation) for m in getattr(arg, "__metadata__", ()))]
    metadata += [part for m in metadata if isinstance(m, FieldInfo) for part in m.metadata]
    signs = {Ge: "from", Gt: "above", Le: "to", Lt: "below"}
    parts = []
    for sign, word in signs.items():
        parts += [f"{word} {getattr(m, sign.__name__.lower())}" for m in metadata if isinstance(m, sign)]
    return " ".join(parts)


def _type(annotation: Any) -> str:
    kinds = {bool: "1 or 0", int: "whole number", float: "number", Path: "path", str: "text"}
    if annotation in kinds:
        return kinds[annotation]
    if get_origin(annotation) is Literal:
        return " or ".join(str(value) for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list, with commas between"
    inner = [part for part in get_args(annotation) if part is not type(None)]
    return f"{_type(inner[0])}, or nothing" if inner else "text"


if __name__ == "__main__":
    print(example(), end="")
