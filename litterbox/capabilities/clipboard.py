"""Answers the `clipboard_set` and `clipboard_get` requests of a box: asks the user, logs, and copies or reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import trio

from litterbox.capabilities.client import Client
from litterbox.capabilities.clipboard_upload import TransferRefused, Upload, check_type
from litterbox.capabilities.policy import Detail, Policy
from litterbox.capabilities.replies import Ack, ClipboardData
from litterbox.capabilities.selections import Selection, SelectionError, Selections
from litterbox.confirm.question import Kind, Question
from litterbox.confirm.said import Said, Words, logged
from litterbox_guest.messages import CHUNK, ClipboardGet, ClipboardSet

CAPABILITY = "clipboard"
MAX_TRANSFERS: Final = 2  # at once, because they are kept in memory; a transfer lasts until the user has answered

_MAX_SHOWN: Final = 150  # characters of a text in a question


@attrs.frozen(kw_only=True)
class Clipboard:
    """The clipboard requests of one box. State: how many more transfers may begin."""

    policy: Policy
    selections: Selections
    _free: trio.Semaphore = attrs.field(factory=lambda: trio.Semaphore(MAX_TRANSFERS), init=False)

    async def set(self, first: ClipboardSet, client: Client) -> None:
        """Receive the content, whose `first` piece has come, ask the user, and put it into the selection."""
        upload = Upload(client, first)
        try:
            with self._transfer(), upload:
                content = await upload.collect()
                detail = _detail("set", first, client, f", {upload.size:,} bytes")
                refusal = await self.policy.permit(CAPABILITY, lambda: self._question_of_set(upload), detail)
                if refusal:
                    await client.refuse(f"the {_which(first).value} was not set: {refusal}")
                    return
                try:
                    await self.selections.set(_which(first), first.mime_type, content)
                except SelectionError as error:
                    self.policy.tell_failure(CAPABILITY, detail, error.sentence)
                    await client.refuse(error.sentence)
                    return
                await client.send(Ack())
        except TransferRefused as refused:
            await self._refuse(_detail("set", first, client), refused, client)
            await upload.drop_rest()

    async def get(self, request: ClipboardGet, client: Client) -> None:
        """Ask the user, read the selection, and send its content in pieces."""
        detail = _detail("get", request, client)
        try:
            check_type(request.mime_type)
            with self._transfer():
                refusal = await self.policy.permit(CAPABILITY, lambda: self._question_of_get(request), detail)
                if refusal:
                    await client.refuse(f"the {_which(request).value} was not read: {refusal}")
                    return
                try:
                    content = await self.selections.get(_which(request), request.mime_type)
                except SelectionError as error:
                    self.policy.tell_failure(CAPABILITY, detail, error.sentence)
                    await client.refuse(error.sentence)
                    return
                await _send(content, request.mime_type, client)
        except TransferRefused as refused:
            await self._refuse(detail, refused, client)

    @contextmanager
    def _transfer(self) -> Iterator[None]:
        try:
            self._free.acquire_nowait()
        except trio.WouldBlock:
            raise TransferRefused(f"{MAX_TRANSFERS} transfers of the clipboard are under way already") from None
        try:
            yield
        finally:
            self._free.release()

    async def _refuse(self, detail: Detail, refused: TransferRefused, client: Client) -> None:
        self.policy.refuse(CAPABILITY, detail, refused.sentence)
        await client.refuse(refused.sentence)

    def _question_of_set(self, upload: Upload) -> Question:
        piece = upload.latest
        fields: list[tuple[str, Words]] = [("Type", (Said(piece.mime_type),)), ("Size", f"{upload.size:,} bytes")]
        if beginning := upload.beginning(_MAX_SHOWN):
            text, is_all = beginning
            fields.append(("Text" if is_all else "Text begins with", (Said(text),)))
        return Question(
            box=self.policy.box,
            action=f"set your {_which(piece).value}",
            fields=tuple(fields),
            request=repr((piece.mime_type, piece.primary)).encode() + upload.digest(),
            kind=Kind.CLIPBOARD_SET,
        )

    def _question_of_get(self, request: ClipboardGet) -> Question:
        return Question(
            box=self.policy.box,
            action=f"read your {_which(request).value}",
            fields=(
                ("Type", (Said(request.mime_type),)),
                ("If you allow it", f"the box gets what is in the {_which(request).value} at that moment"),
            ),
            request=repr(request).encode(),
            kind=Kind.CLIPBOARD_GET,
        )


def _which(message: ClipboardSet | ClipboardGet) -> Selection:
    return Selection.PRIMARY if message.primary else Selection.CLIPBOARD


def _detail(verb: str, message: ClipboardSet | ClipboardGet, client: Client, more: str = "") -> Detail:
    purpose = logged((f"{verb} {_which(message).value}: ", Said(message.mime_type), more))
    return {"purpose": purpose, "peer": client.peer}


async def _send(content: bytes, media_type: str, client: Client) -> None:
    for start in range(0, max(len(content), 1), CHUNK):
        end = start + CHUNK
        await client.send(ClipboardData(mime_type=media_type, more=end < len(content), data=content[start:end]))
