"""Makes links in the box that call the interceptors `notify-send`, `xdg-open` and so on, and files that set PATH."""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Final

from litterbox_guest.interceptors import OF_CAPABILITY, is_command_name

_PROGRAM: Final = "/litterbox"

_log = logging.getLogger(__name__)


def names(accepted: Iterable[str], commands: Iterable[str]) -> set[str]:
    """Return the names of the links for the accepted capabilities, and for host `commands` that have a link."""
    granted = set(accepted)
    links = {link for capability, link in OF_CAPABILITY.items() if capability in granted}
    if "host_exec" in granted:
        links.update(name for name in commands if is_command_name(name))
    return links


def install(folder: str, wanted: set[str]) -> None:
    """Make a link for each name of `wanted` in `folder`, and remove everything else there. Raises OSError."""
    os.makedirs(folder, 0o755, exist_ok=True)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name not in wanted or not os.path.islink(path) or os.readlink(path) != _PROGRAM:
            os.unlink(path)
    for name in wanted - set(os.listdir(folder)):
        os.symlink(_PROGRAM, os.path.join(folder, name))


def path_files(folder: str) -> Mapping[str, str]:
    """Return the files that put `folder` first on PATH, for systemd, POSIX shells and fish. Keys are paths below /."""
    return {
        "etc/environment.d/litterbox.conf": f"PATH={folder}:$PATH\n",
        "etc/profile.d/litterbox.sh": (
            f'case "$PATH" in\n    {folder} | {folder}:*) ;;\n    *) PATH="{folder}:$PATH" ;;\nesac\nexport PATH\n'
        ),
        "etc/fish/conf.d/litterbox.fish": (
            f'if not string match -q -- {folder} "$PATH[1]"\n    set -gx PATH {folder} $PATH\nend\n'
        ),
    }


def write_path_files(folder: str, *, root: str = "/") -> None:
    """Write the PATH files. Logs one that cannot be written, since a box may have a read-only /etc."""
    for name, content in path_files(folder).items():
        path = os.path.join(root, name)
        try:
            _write(path, content)
        except OSError as error:
            _log.warning("%s cannot be written: %s", path, error.strerror)


def _write(path: str, content: str) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    temporary = f"{path}.litterbox-new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(temporary, path)
