"""The Dockerfiles that `litterbox define` starts from, one file a template, named after it."""

import os

from litterbox.errors import UsageError

NAMES = ("debian", "ubuntu", "fedora", "arch", "opensuse-tumbleweed", "alpine", "local")

_FOLDER = os.path.dirname(__file__)


def render(template: str, *, name: str, image: str | None) -> str:
    """The Dockerfile of `template` for the box `name`; `image` is what `local` builds on. Raises UsageError."""
    if template not in NAMES:
        raise UsageError(f"There is no template {template!r}.", f"The templates are: {', '.join(NAMES)}.")
    if (template == "local") != (image is not None):
        raise UsageError(
            "The template local needs an image to build on, and no other template takes one.",
            "Use: litterbox define NAME --template local --image IMAGE (`podman images` lists them).",
        )
    with open(os.path.join(_FOLDER, f"{template}.Dockerfile"), encoding="utf-8") as file:
        text = file.read()
    return text.replace("{name}", name).replace("{image}", image or "")
