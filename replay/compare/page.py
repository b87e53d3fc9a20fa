"""What a report is made of, and the one file of HTML that it becomes: pictures and videos are inside it.

    Section --parts--> Words | Table | Picture | Film

Other programs put sections of their own into a report: a file `sections/NAME.json` in its folder,
{"title": ..., "parts": [{"words": ...}, {"caption": ..., "heads": [...], "rows": [[...]]}, {"picture": FILE, ...}]}.
"""

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from replay.errors import CompareError

SECTIONS: Final = "sections"
STYLE: Final = Path(__file__).with_name("report.css")
MIMES: Final = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4"}


@dataclass(frozen=True)
class Words:
    """A paragraph; `code` keeps its lines as they are."""

    words: str
    code: bool = False


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; the first `left` columns hold words. strong: numbers of rows that stand out."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    strong: Sequence[int] = ()


@dataclass(frozen=True)
class Picture:
    """A picture in a file."""

    picture: Path
    caption: str = ""


@dataclass(frozen=True)
class Film:
    """A video in a file, shown again and again."""

    film: Path
    caption: str = ""


Part = Words | Table | Picture | Film


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    title: str
    parts: Sequence[Part] = field(default_factory=list)


def write_page(path: Path, title: str, sections: Sequence[Section]) -> None:
    """Write sections as one file of HTML that needs no other."""
    links = "".join(f'<a href="#{_anchor(one.title)}">{html.escape(one.title)}</a>' for one in sections)
    body = "".join(_section(one) for one in sections)
    style = STYLE.read_text(encoding="utf-8")
    path.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">\n<style>{style}</style></head>\n'
        f"<body><main><h1>{html.escape(title)}</h1><nav>{links}</nav>{body}</main></body></html>\n",
        encoding="utf-8",
    )


def read_sections(folder: Path) -> list[Section]:
    """Sections that other programs left in a report's folder, by file name. Raises CompareError for what is none."""
    found = []
    for path in sorted((folder / SECTIONS).glob("*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            found.append(Section(str(told["title"]), [_part(part, path.parent) for part in told["parts"]]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CompareError(f"{path}: expected a section of a report, got something else ({error})") from None
    return found


def _part(told: dict[str, Any], folder: Path) -> Part:
    if "picture" in told:
        return Picture(folder / told["picture"], told.get("caption", ""))
    if "film" in told:
        return Film(folder / told["film"], told.get("caption", ""))
    if "heads" in told:
        return Table(**told)
    return Words(**told)


def _section(section: Section) -> str:
    parts = "".join(_html(part) for part in section.parts)
    return f'<section id="{_anchor(section.title)}"><h2>{html.escape(section.title)}</h2>{parts}</section>\n'


def _html(part: Part) -> str:
    match part:
        case Words(words, True):
            return f"<pre>{html.escape(words)}</pre>"
        case Words(words):
            return f"<p>{html.escape(words)}</p>"
        case Picture(path, caption):
            return f'<figure><img src="{_data(path)}" alt="{html.escape(caption)}">{_caption(caption)}</figure>'
        case Film(path, caption):
            shown = f'<video src="{_data(path)}" controls autoplay muted loop playsinline></video>'
            return f"<figure>{shown}{_caption(caption)}</figure>"
        case Table():
            return _table(part)


def _table(table: Table) -> str:
    def cells(row: Sequence[str], tag: str) -> str:
        kinds = ("word" if place < table.left else "number" for place in range(len(row)))
        return "".join(
            f'<{tag} class="{kind}">{html.escape(cell)}</{tag}>' for cell, kind in zip(row, kinds, strict=True)
        )

    rows = "".join(
        f"<tr{' class=strong' if number in table.strong else ''}>{cells(row, 'td')}</tr>"
        for number, row in enumerate(table.rows)
    )
    head = f"<thead><tr>{cells(table.heads, 'th')}</tr></thead>"
    return f"<figure><div class=wide><table>{head}<tbody>{rows}</tbody></table></div>{_caption(table.caption)}</figure>"


def _caption(words: str) -> str:
    return f"<figcaption>{html.escape(words)}</figcaption>" if words else ""


def _data(path: Path) -> str:
    return f"data:{MIMES[path.suffix.lower()]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _anchor(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())
