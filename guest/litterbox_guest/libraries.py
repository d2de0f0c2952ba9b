"""Keeps the programs that use trio from loading or running anything of the image, as root of the box, in PID 1.

`ctypes.util.find_library`, which trio calls when it is imported and pyinotify when it is used, runs ldconfig, gcc
and ld; OpenSSL loads whatever libraries /usr/lib/ssl/openssl.cnf names. Call `use_none_of_the_image` before either.
"""

import ctypes.util
import os

_OURS = {"c": "libc.so.6", "pthread": "libc.so.6"}  # mapped already: naming it loads nothing


def use_none_of_the_image() -> None:
    """From here on only the libc that this process runs on is found, and OpenSSL reads no configuration.

    None for "pthread" would not do: trio then loads whatever the image calls libc.so, a second libc.
    """
    ctypes.util.find_library = _find
    os.environ["OPENSSL_CONF"] = os.devnull


def _find(name: str) -> str | None:
    return _OURS.get(name)
