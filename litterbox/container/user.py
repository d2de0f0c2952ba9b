"""The name that the box's user has: the host user's own, where the box can take it."""

import os
import pwd

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


def user_name() -> str:
    """The host user's name where every distribution's useradd takes it, else "user"."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "user"
    if name[:1].isdigit() or name.startswith("-") or len(name) > 32 or not _NAME_CHARACTERS.issuperset(name):
        return "user"
    return name
