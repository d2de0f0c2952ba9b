"""Receives what a box copies, in pieces of one message each, and collects them in a memfd."""

import codecs
import hashlib
import os
from typing import BinaryIO, Final, Self

import attrs
import trio

from litterbox.capabilities.client import Client
from litterbox.capabilities.media_type import is_media_type
from litterbox.capabilities.selections import MAX_SIZE
from litterbox.errors import LitterboxError
from litterbox_guest import messages
from litterbox_guest.messages import ClipboardSet

PIECE_TIMEOUT: Final = 30.0  # seconds from one piece to the next


class TransferRefused(LitterboxError):
    """The transfer was refused without asking the user."""


@attrs.define
class Upload:
    """The pieces of one transfer. `latest` is the one that came last.

    The memfd becomes the standard input of the program that copies. With a pipe, the end of the daemon during a
    transfer would leave a cut text in the clipboard.
    """

    client: Client
    latest: ClipboardSet
    size: int = 0
    _file: BinaryIO = attrs.field(init=False)
    _digest: "hashlib._Hash" = attrs.field(factory=hashlib.sha256, init=False)

    def __enter__(self) -> Self:
        self._file = os.fdopen(os.memfd_create("clipboard"), "r+b", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    async def collect(self) -> BinaryIO:
        """Receive all pieces, of which the first is `latest`, and return the file. Raises TransferRefused."""
        check_type(self.latest.mime_type)
        self._keep(self.latest)
        while self.latest.more:
            self._keep(await self._next())
        return self._file

    async def drop_rest(self) -> None:
        """After a refusal, receive and drop the pieces that follow. The last one would otherwise be a new transfer."""
        while self.latest.more:
            try:
                message = await self.client.receive()
            except messages.BadMessage:
                continue
            if isinstance(message, ClipboardSet):
                self.latest = message
            else:
                await self.client.refuse("the last piece of the refused content has not come yet")

    def digest(self) -> bytes:
        """Return a digest of the content."""
        return self._digest.digest()

    def beginning(self, characters: int) -> tuple[str, bool] | None:
        """Return at most so many characters of the content, and whether they are all of it.

        Returns None where the content has no text type and is no UTF-8 either.
        """
        content = os.pread(self._file.fileno(), 4 * characters, 0)
        errors = "backslashreplace" if self.latest.mime_type.lower().startswith("text/") else "strict"
        decoder = codecs.getincrementaldecoder("utf-8")(errors)
        is_end = len(content) == self.size
        try:
            text = decoder.decode(content, final=is_end)
        except UnicodeDecodeError:
            return None
        return text[:characters], is_end and len(text) <= characters

    async def _next(self) -> ClipboardSet:
        try:
            with trio.fail_after(PIECE_TIMEOUT):
                message = await self.client.receive()
        except trio.TooSlowError:
            raise TransferRefused(f"the next piece did not come within {PIECE_TIMEOUT:g} seconds") from None
        except messages.BadMessage:
            raise TransferRefused("a piece of it could not be read") from None
        if not isinstance(message, ClipboardSet):
            raise TransferRefused("another message came before its last piece")
        before, self.latest = self.latest, message
        if (message.mime_type, message.primary) != (before.mime_type, before.primary):
            raise TransferRefused("its pieces differ in type or selection")
        return message

    def _keep(self, piece: ClipboardSet) -> None:
        if len(piece.data) > messages.CHUNK:
            raise TransferRefused(f"a piece of it has more than {messages.CHUNK:,} bytes")
        self.size += len(piece.data)
        if self.size > MAX_SIZE:
            raise TransferRefused(f"there are more than {MAX_SIZE:,} bytes of it, which is the limit")
        self._file.write(piece.data)
        self._digest.update(piece.data)


def check_type(text: str) -> None:
    """Raise TransferRefused where `text` is not a media type."""
    if not is_media_type(text):
        raise TransferRefused("that is not a media type such as text/plain or image/png")
