"""A picture of oneself as the other side wants it: as large as it shows, in the smallest format that it reads."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, NamedTuple

from call.memory import give_back
from call.own_source import OwnSource, from_bytes
from receiver.source import readable
from sender.picture_format import encode_best
from sender.source import LARGE_QUALITY
from signaling.control_messages import Hello, Mime

KEPT: Final = 8
"""Pictures of which the ready versions are kept."""


class Wishes(NamedTuple):
    """large: whether the other side shows pictures of twice the model's size; mimes: what it reads."""

    large: bool
    mimes: tuple[Mime, ...]


USUAL: Final = Wishes(False, readable())
"""Of somebody who has what we have. What they get is made before they come, and shown to the person who sends it."""


class Fitting:
    """Encodes in one thread of its own, so that neither the call nor its networks wait. Keeps what it made."""

    def __init__(self, size: int, quality: int) -> None:
        """Args: size: the model's, in px. quality: of WebP, which the other formats are as good as."""
        self._size = size
        self._quality = quality
        self._made: dict[tuple[str, Wishes], OwnSource] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fitting")

    def wishes(self, theirs: Hello) -> Wishes:
        """What the other side said in its hello."""
        return Wishes(theirs.picture_px > self._size, tuple(theirs.pictures))

    def ready(self, source: OwnSource, wishes: Wishes) -> OwnSource | None:
        """The version for these wishes where nothing has to be encoded for it, or None."""
        if source.crop is None or (source.kept and source.mime in wishes.mimes):
            return source
        return self._made.get((source.sha256, self._can(source, wishes)))

    async def fit(self, source: OwnSource, wishes: Wishes = USUAL) -> OwnSource:
        """The version for these wishes. It takes a second or two where it is not ready."""
        ready = self.ready(source, wishes)
        if ready is not None:
            return ready
        wishes = self._can(source, wishes)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._make, source, wishes)

    def _can(self, source: OwnSource, wishes: Wishes) -> Wishes:
        return wishes._replace(large=wishes.large and source.large is not None)

    def _make(self, source: OwnSource, wishes: Wishes) -> OwnSource:
        known = self._made.get((source.sha256, wishes))
        if known is not None:
            return known
        crop = source.large if wishes.large else source.crop
        assert crop is not None, "a picture without a crop is ready as it is"
        quality = min(LARGE_QUALITY, self._quality) if wishes.large else self._quality
        encoded = encode_best(crop, wishes.mimes, quality)
        made = replace(from_bytes(encoded.picture, encoded.mime), crop=source.crop, large=source.large)
        self._keep({(source.sha256, wishes): made, (made.sha256, wishes): made})
        give_back()
        return made

    def _keep(self, made: dict[tuple[str, Wishes], OwnSource]) -> None:
        rest: Sequence[tuple[tuple[str, Wishes], OwnSource]] = list(self._made.items())[-2 * KEPT + 2 :]
        self._made = {**dict(rest), **made}

    def close(self) -> None:
        """End the thread after the picture under way, which nobody waits for; what waits is not made any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
