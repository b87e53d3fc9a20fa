"""One rater before one folder of pairs: the page is opened, and afterwards the score of everybody is told."""

import asyncio
import webbrowser
from collections.abc import Callable
from pathlib import Path

from replay.rating.choices import Preference, preferences, read_choices
from replay.rating.server import CHOICES_FILE, rate


def sit(folder: Path, port: int, say: Callable[[str], None], browse: Callable[[str], object] = webbrowser.open) -> None:
    """Serve the page until the rater ends, then say what all raters of the folder preferred so far.

    Choices are kept as they are made, so an interrupted sitting loses none. Raises RatingError, PortTaken.
    """
    choices = folder / CHOICES_FILE

    def ready(url: str) -> None:
        say(f"compare: rate at {url}")
        browse(url)

    asyncio.run(rate(folder, choices, port, ready))
    for found in preferences(read_choices(choices)):
        say(words_of(found))


def words_of(found: Preference) -> str:
    """One comparison as a line."""
    return (
        f"compare: {found.method} was preferred to {found.against}: {found.score:.0%} "
        f"({found.low:.0%} to {found.high:.0%}, 95 % interval) of {found.choices} choices by {found.raters} raters, "
        f"{found.same} of them without a preference"
    )
