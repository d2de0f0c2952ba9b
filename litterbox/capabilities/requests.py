"""Dispatches each request of a box to the capability that answers it."""

from collections.abc import Mapping
from typing import Final

import attrs

from litterbox.capabilities.client import Client
from litterbox.capabilities.clipboard import Clipboard
from litterbox.capabilities.clipboard_upload import Upload
from litterbox.capabilities.host_exec.commands import HostCommands
from litterbox.capabilities.notify import Notifications
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.replies import Ack
from litterbox.capabilities.xdg_open.request import Links
from litterbox_guest.messages import ClipboardGet, ClipboardSet, GuestMessage, HostExec, Notify, Ping, XdgOpen

_CAPABILITY_OF: Final[Mapping[type, str]] = {
    Notify: "notify",
    XdgOpen: "xdg_open",
    ClipboardSet: "clipboard",
    ClipboardGet: "clipboard",
    HostExec: "host_exec",
}


@attrs.frozen(kw_only=True)
class Requests:
    """The requests of all connections of one box."""

    policy: Policy
    notifications: Notifications
    links: Links
    clipboard: Clipboard
    host_commands: HostCommands

    async def answer(self, message: GuestMessage, accepted: frozenset[str], client: Client) -> None:
        """Answer one message of a connection on which `accepted` capabilities were granted."""
        capability = _CAPABILITY_OF.get(type(message))
        if capability is not None and capability not in accepted:
            reason = f"the settings of the box do not allow it ({capability} was not granted on this connection)"
            self.policy.refuse(capability, {"peer": client.peer}, reason)
            await client.refuse(reason)
            if isinstance(message, ClipboardSet):
                await Upload(client, message).drop_rest()
            return
        match message:
            case Ping():
                await client.send(Ack())
            case Notify():
                await self.notifications.answer(message, client)
            case XdgOpen():
                await self.links.answer(message, client)
            case ClipboardSet():
                await self.clipboard.set(message, client)
            case ClipboardGet():
                await self.clipboard.get(message, client)
            case HostExec():
                await self.host_commands.answer(message, client)
            case _:
                await client.refuse("no command or transfer is running that this message belongs to")
