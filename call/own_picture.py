"""Which picture of oneself is in use: the first good face, one that the person chose, a fresh one where it is allowed.

Nothing leaves without consent. A person at a page sees the picture before it is sent; a call without a page sends the
first one that was taken.
"""

from collections.abc import Callable

from call.fitting import Fitting
from call.own_source import OwnSource
from call.watching import Watching

Show = Callable[[OwnSource], None]


class OwnPicture:
    """One person's, over all connections of a call. Belongs to the event loop."""

    def __init__(self, watching: Watching, fitting: Fitting, in_use: Show) -> None:
        """Args: in_use: told of a picture that is to be used from now on, with consent."""
        self.consent = False
        """Whether it may be sent."""
        self.approve: Show | None = None
        """Shows the first picture to the person, who says with `use` that it may go. None: it goes as it is."""
        self.renewed: Show = lambda source: None
        """Told of a picture that was taken and used without asking each time."""
        self._watching = watching
        self._fitting = fitting
        self._in_use = in_use
        self._chosen: OwnSource | None = None
        self._preview: Show | None = None
        self._renewing = False
        self.renewals = 0

    @property
    def source(self) -> OwnSource | None:
        """The picture that may be sent, or None."""
        return self._chosen if self.consent else None

    def begin(self, consent: bool) -> None:
        """Say that the call begins, and whether one's picture may be sent."""
        self.consent = consent
        if not consent:
            return
        if self._chosen is not None:
            self._in_use(self._chosen)
        else:
            self._watching.take_source = True

    def preview(self, show: Show) -> None:
        """Take a picture from the camera and show it; in a call it is not sent before `use`."""
        self._preview = show
        self._watching.face(0.0, 0.0)
        self._watching.take_source, self._watching.at_leisure = True, False

    def renew(self, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> None:
        """Take a new picture at a good moment, of a head that looks this way, and use it."""
        if self.source is not None and self._preview is None:
            self._watching.face(yaw_deg, pitch_deg)
            self._renewing = self._watching.take_source = self._watching.at_leisure = True

    def stop_renewing(self) -> None:
        """Leave it at the picture in use: it is like the camera's again."""
        if self._renewing and self._preview is None:
            self._watching.take_source = False
            self._watching.face(0.0, 0.0)
        self._renewing = self._watching.at_leisure = False

    def taken(self, source: OwnSource) -> None:
        """Take what the camera gave."""
        preview, self._preview = self._preview, None
        renewing, self._renewing = self._renewing and preview is None, False
        if preview is not None:
            preview(source)
            if not self.consent and self._chosen is None:
                self._chosen = source  # what the person sees before the call is what it begins with
        elif renewing:
            self.renewals += 1
            self.use(source)
            self.renewed(source)
        elif self._chosen is None:  # one that was chosen meanwhile is not replaced
            if self.approve is None:
                self.use(source)
            else:
                self.approve(source)

    def use(self, source: OwnSource) -> None:
        """Use this picture from now on, now and in later connections; before the call begins it is kept for it."""
        self._chosen = source
        self._watching.take_source = self._preview is not None
        if self.consent:
            self._in_use(source)

    async def from_file(self, content: bytes) -> OwnSource:
        """Make a picture of oneself of a file's bytes, as it would be sent. Raises PictureError."""
        return await self._fitting.fit(await self._watching.source_from_file(content))
