"""Defining a box: its Dockerfile from a template and its settings, both the user's from then on."""

import os
import sys

from litterbox import files, paths
from litterbox.container import podman, templates
from litterbox.errors import HostError, LitterboxError, NoSuchBox, UsageError
from litterbox.settings import box_settings

_IMAGE_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@")


def define(name: str, *, template: str, image: str | None = None) -> bool:
    """Write the definition of the box `name`; False when exactly this one is there already.

    Raises UsageError for an unknown template or image name, LitterboxError when the box is defined otherwise.
    """
    paths.check_box_name(name)
    if image is not None:
        check_image_name(image)
    dockerfile = templates.render(template, name=name, image=image)
    take_over(name)
    where = paths.dockerfile(name)
    if os.path.lexists(where):
        with open(where, encoding="utf-8", errors="replace") as file:
            if file.read() == dockerfile and os.path.lexists(paths.settings(name)):
                return False
        raise LitterboxError(
            f"The box {name} is defined already, in {where}.",
            f"Edit that file, or delete the box with its container and image: litterbox delete {name} --definition",
        )
    network = box_settings.default_network(podman.version())
    files.private_folder(paths.root())
    files.private_folder(paths.build_context(name))
    if not os.path.lexists(paths.settings(name)):
        text = box_settings.TEMPLATE.format(name=name, network=network)
        files.write_atomically(paths.settings(name), text.encode())
    files.write_atomically(where, dockerfile.encode())
    return True


def check_image_name(image: str) -> str:
    """An image name goes into a Dockerfile's FROM line, so it may hold nothing that ends the line or the word."""
    if not image or image.startswith("-") or not _IMAGE_CHARACTERS.issuperset(image):
        raise UsageError(f"{image!r} is not the name of an image.", "`podman images` lists the images.")
    return image


def defined() -> list[str]:
    """The names of all boxes that have a Dockerfile, sorted. Definitions of the former layout are taken over."""
    try:
        entries = os.listdir(paths.definitions())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HostError(f"The folder {paths.definitions()} cannot be read: {error.strerror}.") from error
    former = [
        entry.removesuffix(paths.FORMER_DOCKERFILE) for entry in entries if entry.endswith(paths.FORMER_DOCKERFILE)
    ]
    names = {name for name in former if paths.is_box_name(name)}
    for name in sorted(names):
        try:
            take_over(name)
        except LitterboxError as error:  # the other boxes are listed all the same
            print(f"litterbox: {error.sentence}", file=sys.stderr)
    return sorted(names | {entry for entry in entries if paths.is_box_name(entry) and has_dockerfile(entry)})


def has_dockerfile(name: str) -> bool:
    """Whether the box has a Dockerfile, in whichever layout."""
    return os.path.exists(paths.dockerfile(name)) or os.path.exists(paths.former_dockerfile(name))


def take_over(name: str) -> None:
    """Bring a definition of the former layout into the box's own folder; does nothing where there is none."""
    if os.path.lexists(paths.former_dockerfile(name)):
        from litterbox.container import takeover  # start-up budget: once in a box's life

        takeover.take_over(name)


def known() -> list[str]:
    """The names of all boxes, sorted: of those that are defined, and of those that were built and not deleted.

    A Dockerfile may be removed while its box runs; what was built is a box all the same.
    """
    ending = ".lock"
    beginning = ".session-"
    entries = os.listdir(paths.root()) if os.path.isdir(paths.root()) else []
    built = [
        entry[len(beginning) : -len(ending)]
        for entry in entries
        if entry.startswith(beginning) and entry.endswith(ending)
    ]
    return sorted({*defined(), *built})


def check_known(name: str) -> str:
    """Return `name` when there is such a box, defined or built; raises BadBoxName or NoSuchBox."""
    return name if os.path.exists(paths.session_lock(name)) else check_defined(name)


def check_defined(name: str) -> str:
    """Return `name` when the box has a Dockerfile, as a build needs; raises BadBoxName or NoSuchBox."""
    take_over(name)
    if not os.path.exists(paths.dockerfile(name)):
        boxes = defined()
        raise NoSuchBox(
            f"There is no box {name}.",
            f"The boxes are: {', '.join(boxes)}." if boxes else f"Make one with: litterbox define {name}",
        )
    return name


def local_images() -> list[str]:
    """The named images in local storage, newest first: what the template `local` can build on."""
    listing = podman.run("images", "--filter", "dangling=false", "--format", "{{.Repository}}:{{.Tag}}")
    return [line for line in listing.split() if line != "<none>:<none>" and not line.startswith("localhost/lbx-")]
