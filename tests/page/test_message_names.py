"""The page and the engine know the same messages."""

import re
from enum import IntEnum
from pathlib import Path
from typing import get_args

import pytest

from call.page_binary import ToEngine, ToPage
from call.page_messages import AnyPageMessage, EngineMessage, PageMessage
from call.states import State

SCRIPT = (Path(__file__).resolve().parents[2] / "call/page/messages.js").read_text()


def names_in(constant: str) -> list[str]:
    """The strings of a frozen list."""
    found = re.search(rf"export const {constant} = Object\.freeze\(\[(.*?)\]\)", SCRIPT, re.DOTALL)
    assert found, f"messages.js has no {constant}"
    return re.findall(r'"(\w+)"', found.group(1))


def kinds_in(constant: str) -> dict[str, int]:
    """The numbers of a frozen object."""
    found = re.search(rf"export const {constant} = Object\.freeze\(\{{(.*?)\}}\)", SCRIPT, re.DOTALL)
    assert found, f"messages.js has no {constant}"
    return {name: int(value, 16) for name, value in re.findall(r"(\w+): (0x\w+)", found.group(1))}


def types_of(union: object) -> set[str]:
    """The `type` of each message of a union."""
    messages: tuple[type[PageMessage], ...] = get_args(union)
    return {message.model_fields["type"].default for message in messages}


def test_same_json_messages() -> None:
    assert set(names_in("PAGE_TYPES")) == types_of(AnyPageMessage)
    assert set(names_in("ENGINE_TYPES")) == types_of(EngineMessage)


def test_same_states() -> None:
    assert names_in("STATES") == [str(state) for state in State]


@pytest.mark.parametrize(("constant", "kinds"), [("TO_ENGINE", ToEngine), ("TO_PAGE", ToPage)])
def test_same_kinds(constant: str, kinds: type[IntEnum]) -> None:
    assert kinds_in(constant) == {kind.name: kind.value for kind in kinds}
