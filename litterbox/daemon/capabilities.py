"""The capabilities of one box, put together: what each of them needs of the daemon, for as long as that serves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from litterbox.audit import AuditLog
from litterbox.capabilities.bus import own_bus
from litterbox.capabilities.clipboard import Clipboard
from litterbox.capabilities.host_exec.commands import open_host_commands
from litterbox.capabilities.notification_service import Notifier
from litterbox.capabilities.notify import Notifications
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.requests import Requests
from litterbox.capabilities.selections import Selections
from litterbox.capabilities.xdg_open.opener import open_opener
from litterbox.capabilities.xdg_open.request import Links
from litterbox.confirm.question import Answer, Question
from litterbox.daemon.displays import Displays, environment_on


@asynccontextmanager
async def open_capabilities(
    name: str, *, displays: Displays, ask: Callable[[Question], Awaitable[Answer]], audit: AuditLog
) -> AsyncIterator[Requests]:
    """What answers the box `name`, for the length of the block; then the host commands have ended."""

    def buses() -> list[str]:
        return displays.buses() or own_bus()

    def environments() -> list[dict[str, str]]:
        logins = displays.newest_first() or [{"DBUS_SESSION_BUS_ADDRESS": address} for address in own_bus()]
        return [environment_on(login) for login in logins]

    policy = Policy(box=name, ask=ask, audit=audit)

    def environment() -> dict[str, str]:
        return next(iter(environments()), environment_on({}))

    async with open_opener(environments) as opener, open_host_commands(policy, environment) as host_commands:
        yield Requests(
            policy=policy,
            notifications=Notifications(policy=policy, notifier=Notifier(name, buses)),
            links=Links(policy=policy, opener=opener),
            clipboard=Clipboard(policy=policy, selections=Selections(displays.newest_first)),
            host_commands=host_commands,
        )
