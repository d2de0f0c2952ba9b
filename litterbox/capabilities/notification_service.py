"""Notifications of the box on the user's desktop (Desktop Notifications Specification 1.2), over D-Bus.

Each is shown by a connection of its own, so that a service which hangs holds up nobody else; how many there may be at
once is bounded by notify.py. The box's words are shown as text: no markup, no control characters, no icon that is a
file, and always the box's name.
"""

import html
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import attrs
import trio
from jeepney import DBusAddress, MatchRule, Message, message_bus, new_method_call

from litterbox.capabilities.bus import Bus, BusError, open_first
from litterbox.confirm.escaping import MAX_VALUE_WIDTH, escape_untrusted, quoted
from litterbox.errors import LitterboxError
from litterbox_guest.messages import Notify

MAX_ACTIONS: Final = 8
MAX_REMEMBERED: Final = 256  # notifications that the box may replace

_MAX_LINE_LENGTH: Final = 300
_MAX_LINES: Final = 20
_MAX_LABEL_LENGTH: Final = 60
_MAX_TIMEOUT: Final = 2**31 - 1  # milliseconds; the field is an int32
_ICON_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

_SERVICE: Final = "org.freedesktop.Notifications"
_OBJECT: Final = DBusAddress("/org/freedesktop/Notifications", _SERVICE, _SERVICE)
_URGENCIES: Final = {"low": 0, "normal": 1, "critical": 2}
_DEFAULT: Final = "default"  # the action of a click on the notification itself


class NotificationError(LitterboxError):
    """The notification could not be shown, or its service went away."""


@attrs.frozen
class Notifier:
    """Shows notifications of one box. `buses` are D-Bus addresses of the user's logins, the newest first."""

    box: str
    buses: Callable[[], Sequence[str]]
    _shown: dict[tuple[str, int], None] = attrs.field(factory=dict, init=False)

    async def notify(self, notice: Notify, tell_id: Callable[[int], Awaitable[None]]) -> str | None:
        """Show it and tell its id; wait for its end where `notice` waits, and return the key of the chosen action.

        Raises NotificationError. A cancelled wait closes the notification: nobody would hear of its actions.
        """
        _check(notice)
        async with open_first(self.buses()) as found:
            if found is None:
                raise NotificationError("no login of the box has a desktop that shows notifications")
            try:
                return await self._notify(*found, notice, tell_id)
            except BusError as error:
                said = quoted(error.sentence, longest=MAX_VALUE_WIDTH)  # which may repeat what the box said
                raise NotificationError(f"the desktop's notification service: {said}") from error

    async def _notify(
        self, bus: Bus, address: str, notice: Notify, tell_id: Callable[[int], Awaitable[None]]
    ) -> str | None:
        replaces = notice.replaces or 0
        if replaces and (address, replaces) not in self._shown:
            replaces = 0  # an id that is none of the box's own would be another program's notification
        if notice.waits:
            await _listen(bus)
        [number] = await bus.call(_message(self.box, notice, replaces))
        self._remember(address, number)
        await tell_id(number)
        if not notice.waits:
            return None
        ended = False
        try:
            chosen = await _end_of(bus, number)
            ended = True
        finally:
            if not ended:
                with trio.move_on_after(1, shield=True), suppress(BusError):
                    await bus.call(new_method_call(_OBJECT, "CloseNotification", "u", (number,)))
        return None if chosen is None else _key(chosen, notice)

    def _remember(self, address: str, number: int) -> None:
        self._shown[address, number] = None
        if len(self._shown) > MAX_REMEMBERED:
            del self._shown[next(iter(self._shown))]


async def _listen(bus: Bus) -> None:
    vanished = MatchRule(type="signal", sender=message_bus.bus_name, member="NameOwnerChanged")
    vanished.add_arg_condition(0, _SERVICE)
    signals = ("ActionInvoked", "NotificationClosed")
    ours = [MatchRule(type="signal", sender=_SERVICE, interface=_SERVICE, member=signal) for signal in signals]
    await bus.listen(*ours, vanished)


async def _end_of(bus: Bus, number: int) -> str | None:
    """Wait until the notification is closed; the action that was chosen, None where none was."""
    while True:
        match await bus.signal():
            case "ActionInvoked", (about, str(action)) if about == number:
                return action
            case "NotificationClosed", (about, _reason_number) if about == number:
                return None
            case "NameOwnerChanged", (_name, _before, ""):
                raise NotificationError("the desktop's notification service went away")


def _check(notice: Notify) -> None:
    if len(notice.actions) > MAX_ACTIONS:
        raise NotificationError(f"a notification has at most {MAX_ACTIONS} actions")
    if not notice.summary.strip():
        raise NotificationError("a notification needs a summary")


def _message(box: str, notice: Notify, replaces: int) -> Message:
    timeout = -1 if notice.timeout is None else max(-1, min(notice.timeout, _MAX_TIMEOUT))
    # Our keys, not the box's: the service may give a meaning of its own to any but "default".
    actions = [
        word
        for index, action in enumerate(notice.actions)
        for word in (
            _DEFAULT if action.key == _DEFAULT else str(index),
            escape_untrusted(action.label, longest=_MAX_LABEL_LENGTH),
        )
    ]
    name = f"Litterbox: {box}"
    body = (
        name if not notice.app else f"{name}, {escape_untrusted(notice.app, longest=_MAX_LABEL_LENGTH)}",
        replaces,
        notice.icon if _ICON_CHARACTERS.issuperset(notice.icon) else "",
        f"{box}: {escape_untrusted(notice.summary, longest=_MAX_LINE_LENGTH)}",  # some services show no app name
        _body(notice.body),
        actions,
        {"urgency": ("y", _URGENCIES[notice.urgency])},
        timeout,
    )
    return new_method_call(_OBJECT, "Notify", "susssasa{sv}i", body)


def _body(text: str) -> str:
    """The text as lines without markup, which the service would read."""
    lines = text.split("\n")
    if len(lines) > _MAX_LINES:
        lines = [*lines[: _MAX_LINES - 1], "…"]
    return "\n".join(html.escape(escape_untrusted(line, longest=_MAX_LINE_LENGTH), quote=False) for line in lines)


def _key(chosen: str, notice: Notify) -> str | None:
    """The box's own word for the action."""
    if chosen == _DEFAULT:
        return _DEFAULT
    if chosen.isascii() and chosen.isdigit() and int(chosen) < len(notice.actions):
        return notice.actions[int(chosen)].key
    return None
