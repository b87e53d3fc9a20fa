""".env.example lists all settings of the programs and of docker-compose.yml, as they are."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from docker.env_example import PROGRAMS, ROOT, docstrings, example

TEXT = (ROOT / ".env.example").read_text()
SHOWN = dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", TEXT, re.MULTILINE))


def test_file_is_what_the_classes_say() -> None:
    """After a change of settings: `make env-example`."""
    assert example() == TEXT


@pytest.mark.parametrize("kind", PROGRAMS.values(), ids=list(PROGRAMS))
def test_every_setting_has_its_words(kind: type[BaseSettings]) -> None:
    assert docstrings(kind).keys() >= kind.model_fields.keys()


@pytest.mark.parametrize("program", ["signal", "send", "every peer"])
def test_shown_values_are_the_defaults(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes the comment signs away changes nothing."""
    kind = PROGRAMS[program]
    plain = kind()
    for name, value in SHOWN.items():
        if name.startswith("FACEWIRE_") and value:
            monkeypatch.setenv(name, value)
    assert kind() == plain


def test_no_secret_is_asked_for_in_the_file() -> None:
    secrets = {
        f"FACEWIRE_{name.upper()}"
        for kind in PROGRAMS.values()
        for name, field in kind.model_fields.items()
        if SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
    }
    assert {"FACEWIRE_TOKEN_SECRET", "FACEWIRE_API_KEY", "FACEWIRE_TURN_SECRET"} <= secrets
    assert not secrets & SHOWN.keys()
    assert {f"{name}_FILE" for name in secrets} <= SHOWN.keys()


@pytest.mark.parametrize("file", sorted(ROOT.glob("docker-compose*.yml")), ids=lambda path: path.name)
def test_variables_of_the_compose_file_are_listed(file: Path) -> None:
    asked = dict(re.findall(r"\$\{([A-Z][A-Z0-9_]*)(?::?[-?]([^${}]*)\})?", file.read_text()))
    assert asked.keys() <= SHOWN.keys()
    for name, default in asked.items():
        if not name.startswith("FACEWIRE_") and name != "PUBLIC_NAME":
            assert SHOWN[name] == default, name
