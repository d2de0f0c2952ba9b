"""The pieces of what a box copies, one message each, collected in a file that has no name."""

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
    """A transfer that nobody needs to be asked about."""


@attrs.define
class Upload:
    """The pieces of one transfer; `latest` came last.

    They are kept outside of any buffer of ours, and go to the program that copies as its standard input: were that a
    pipe, the end of a daemon in the middle of it would leave a cut text in the clipboard.
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
        """Return the file when all have come; the first is `latest` before. Raises TransferRefused."""
        check_type(self.latest.mime_type)
        self._keep(self.latest)
        while self.latest.more:
            self._keep(await self._next())
        return self._file

    async def drop_rest(self) -> None:
        """After a refusal, take what is still to come: else its end would pass for a transfer of its own."""
        while self.latest.more:
            try:
                message = await self.client.receive()
            except messages.BadMessage:
                continue
            if isinstance(message, ClipboardSet):
                self.latest = message
            else:
                await self.client.refuse("the last piece of what was refused is still to come")

    def identity(self) -> bytes:
        """Bytes that are equal only for equal contents."""
        return self._digest.digest()

    def beginning(self, characters: int) -> tuple[str, bool] | None:
        """At most so many characters of it as text, and whether they are all of it.

        None where it neither says that it is text nor can be any.
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
            raise TransferRefused("something else came before its last piece")
        before, self.latest = self.latest, message
        if (message.mime_type, message.primary) != (before.mime_type, before.primary):
            raise TransferRefused("its pieces do not belong together")
        return message

    def _keep(self, piece: ClipboardSet) -> None:
        if len(piece.data) > messages.CHUNK:
            raise TransferRefused(f"a piece of it has more than {messages.CHUNK:,} bytes")
        self.size += len(piece.data)
        if self.size > MAX_SIZE:
            raise TransferRefused(f"there are more than {MAX_SIZE:,} bytes of it, and no more go through")
        self._file.write(piece.data)
        self._digest.update(piece.data)


def check_type(text: str) -> None:
    """Raises TransferRefused where it is no media type."""
    if not is_media_type(text):
        raise TransferRefused("that is no type: a type is like text/plain or image/png")
