"""The commands of the box that stand in for a facility of the host. Their names, by the capability that each one uses.

Host and box both use these names. Nothing is imported here, because every interceptor starts through this module.
"""

OF_CAPABILITY = {
    "notify": "notify-send",
    "xdg_open": "xdg-open",
    "clipboard": "litterbox-clipboard",
    "host_exec": "host-exec",
}
# Names that mean something to `/litterbox`: no host command may have one of them.
RESERVED_NAMES = frozenset({"litterbox", "daemon", "entrypoint", "wait", *OF_CAPABILITY.values()})
MAX_NAME_LENGTH = 64  # characters

_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")


def is_command_name(name: str) -> bool:
    """Whether a host command, and its link in the box, may have that name.

    It must be the name of one file, look like no option, and mean nothing to `/litterbox`.
    """
    return (
        0 < len(name) <= MAX_NAME_LENGTH
        and _CHARACTERS.issuperset(name)
        and name[0] not in "-."
        and name not in RESERVED_NAMES
    )
