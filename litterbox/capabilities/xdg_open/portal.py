"""Opens links through the desktop portal on a login's bus (XDG Desktop Portal, org.freedesktop.portal.OpenURI)."""

import secrets
from contextlib import suppress
from typing import Final

import trio
from jeepney import DBusAddress, MatchRule, Properties, message_bus, new_method_call

from litterbox.capabilities.bus import Bus, BusError
from litterbox.capabilities.xdg_open.program import NotChosen, OpeningError
from litterbox.confirm.escaping import MAX_VALUE_WIDTH, quoted

TIMEOUT: Final = 120.0  # seconds for the user to choose a program, where the desktop asks for one

_SERVICE: Final = "org.freedesktop.portal.Desktop"
_PATH: Final = "/org/freedesktop/portal/desktop"
_OPEN_URI: Final = DBusAddress(_PATH, _SERVICE, "org.freedesktop.portal.OpenURI")
_REQUEST: Final = "org.freedesktop.portal.Request"
_OPENED, _CANCELLED = 0, 1  # codes of the signal Response


async def is_there(bus: Bus) -> bool:
    """Whether the desktop has a portal that opens links. Starts a portal that is installed and not running.

    A portal can lack this interface, where the desktop has no dialog to choose a program.
    """
    try:
        await bus.call(Properties(_OPEN_URI).get("version"))
    except BusError:
        return False
    return True


async def open_uri(bus: Bus, uri: str, *, within: float) -> None:
    """Open the link, and wait up to `within` seconds for the portal to confirm it. Raises OpeningError.

    When cancelled, it closes the portal's request, and with it a dialog that asks for a program.
    """
    try:
        with trio.fail_after(within):
            response = await _response(bus, uri)
    except BusError as error:
        raise OpeningError(f"the desktop's portal: {quoted(error.sentence, longest=MAX_VALUE_WIDTH)}") from error
    except trio.TooSlowError as error:
        raise NotChosen("nobody chose a program for it") from error
    if response == _CANCELLED:
        raise NotChosen("the user chose no program for it")
    if response != _OPENED:
        raise OpeningError("the desktop's portal could not open it")


async def _response(bus: Bus, uri: str) -> int:
    # We subscribe before the call, because a quick portal sends the Response before its reply. We match the folder of
    # all our requests, because old portals choose the name of the request themselves.
    sender = bus.connection.unique_name.removeprefix(":").replace(".", "_")
    folder = f"{_PATH}/request/{sender}"
    ours = MatchRule(type="signal", sender=_SERVICE, interface=_REQUEST, member="Response", path_namespace=folder)
    vanished = MatchRule(type="signal", sender=message_bus.bus_name, member="NameOwnerChanged")
    vanished.add_arg_condition(0, _SERVICE)
    await bus.listen(ours, vanished)
    options = {"handle_token": ("s", f"litterbox_{secrets.token_hex(8)}")}
    [request] = await bus.call(new_method_call(_OPEN_URI, "OpenURI", "ssa{sv}", ("", uri, options)))
    answered = False
    try:
        while True:
            match await bus.signal():
                case "Response", (int(response), _results):
                    answered = True
                    return response
                case "NameOwnerChanged", (_name, _before, ""):
                    answered = True
                    raise BusError("it has ended")
    finally:
        if not answered:
            with trio.move_on_after(1, shield=True), suppress(BusError):
                await bus.call(new_method_call(DBusAddress(request, _SERVICE, _REQUEST), "Close"))
