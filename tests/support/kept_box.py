"""The box "work" of a user, which is built once for many tests, and is as it was just after that for each of them."""

import os
import subprocess
from collections.abc import Callable

from support.user import User, podman


class KeptBox:
    """`make` builds the box in the user's empty ~/Litterbox, a copy of which is then kept in `folder`.

    What a test changes in the container itself stays, as long as the test does not replace the container.
    """

    def __init__(self, user: User, make: Callable[[User], None], folder: str) -> None:
        self._user = user
        self._make = make
        self._folder = folder
        self._container = ""

    def restore(self) -> None:
        """Put ~/Litterbox back as it was, and build the box anew where its container was replaced or removed."""
        if not os.path.exists(self._folder):
            self.remove()
            self._make(self._user)
            subprocess.run(["cp", "-a", self._user.root, self._folder], check=True)
        else:
            self._empty()
            subprocess.run(["cp", "-a", self._folder, self._user.root], check=True)
            if self._container != _container():
                self._user.litterbox("build", "work")
        self._container = _container()

    def stop(self) -> None:
        """Stop the box, and remove all others."""
        for name in _containers():
            self._user.litterbox("stop", name.removeprefix("lbx-"), status=None)
            if name != "lbx-work":
                podman("rm", "--force", "--time=0", name)

    def remove(self) -> None:
        """Leave the user with nothing."""
        self.stop()
        podman("rm", "--force", "--time=0", "--ignore", "lbx-work")
        self._empty()

    def _empty(self) -> None:
        podman("unshare", "rm", "-rf", self._user.root)  # the box's root leaves files of other uids in the home


def _containers() -> list[str]:
    return podman("ps", "--all", "--format", "{{.Names}}").stdout.split()


def _container() -> str:
    """The id of the box's container; empty where there is none."""
    return podman("container", "inspect", "--format", "{{.Id}}", "lbx-work", check=False).stdout.strip()
