"""The images that a Dockerfile builds on: fetched, looked into, and named so that the build takes exactly those.

An image may carry build steps of its own (ONBUILD), which run with the context and the network of whoever builds on it.
Podman has no option to switch them off, and `podman image inspect` does not show them: so the image's configuration is
read from Podman's storage, and the Dockerfile is given to Podman with the id of each image in the place of its name.
"""

import base64
import json
import os
from collections.abc import Iterator, Mapping

from litterbox.container import dockerfile, podman
from litterbox.container.dockerfile import Base
from litterbox.errors import DockerfileError, PodmanError

_LOCAL = "localhost/"  # Podman's prefix for images that come from no registry
_MAX_CONFIGURATION = 4 * 1024 * 1024  # bytes; registries take no larger manifest or configuration
_MAX_STEPS_SHOWN = 5
_MAX_STEP_SHOWN = 120  # characters


def pin(name: str, text: str, *, arguments: Mapping[str, str], renew: bool, allow_onbuild: bool) -> str:
    """The Dockerfile `text` of the box with the id of each base image in the place of its name.

    Images that are missing are fetched, with `renew` all that a registry has a newer one of. Raises DockerfileError for
    an image with build steps of its own, unless `allow_onbuild`, and PodmanError.
    """
    host = json.loads(podman.run("info", "--format", "json"))
    platform = _platform(host["host"])
    images: dict[Base, str] = {}
    for base in dockerfile.bases(text, {**arguments, **_automatic_arguments(platform)}):
        image_id = _fetch(base, native=platform, renew=renew)
        images[base] = image_id
        if not allow_onbuild:
            _check_no_steps(name, base.image, _steps(base.image, image_id, host["store"]))
    return dockerfile.with_images(text, images)


def _platform(host: Mapping[str, str]) -> str:
    """What Podman builds for: "linux/amd64", "linux/arm/v7"."""
    return "/".join(part for part in (host["os"], host["arch"], host.get("variant", "")) if part)


def _automatic_arguments(platform: str) -> dict[str, str]:
    """The arguments that Podman declares before the first FROM."""
    system, architecture, variant, *_ = [*platform.split("/"), ""]
    values = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"{side}{key}": value for side in ("BUILD", "TARGET") for key, value in values.items()}


def _fetch(base: Base, *, native: str, renew: bool) -> str:
    """The id of the image that the FROM line means, fetched where it must be."""
    there = podman.exists("image", base.image)
    foreign = base.platform not in ("", native)
    if foreign and there:
        there = _inspect(base.image, "{{.Os}}/{{.Architecture}}") == "/".join(base.platform.split("/")[:2])
    if not there or (renew and not base.image.startswith(_LOCAL)):
        options = [f"--platform={base.platform}"] if foreign else []
        try:
            podman.show("pull", *options, base.image)
        except PodmanError:
            if not there:
                raise
    return _inspect(base.image, "{{.Id}}").removeprefix("sha256:")


def _inspect(image: str, template: str) -> str:
    return podman.run("image", "inspect", "--format", template, image).strip()


def _check_no_steps(name: str, image: str, steps: list[str]) -> None:
    if not steps:
        return
    shown = [ascii(step if len(step) <= _MAX_STEP_SHOWN else f"{step[:_MAX_STEP_SHOWN]}...") for step in steps]
    more = f" and {len(steps) - _MAX_STEPS_SHOWN} more" if len(steps) > _MAX_STEPS_SHOWN else ""
    raise DockerfileError(
        f"The image {image} has build steps of its own (ONBUILD), which would run in the build of {name}, with its "
        f"files and the network: {', '.join(shown[:_MAX_STEPS_SHOWN])}{more}.",
        f"Where you want them to run: litterbox build {name} --allow-onbuild",
    )


def _steps(image: str, image_id: str, store: Mapping[str, object]) -> list[str]:
    """The ONBUILD steps of an image. Raises DockerfileError where its configuration cannot be read."""
    for folder in _image_folders(store):
        content = _configuration(os.path.join(folder, image_id))
        if content is not None:
            return _steps_in(content, image)
    raise _unreadable(image)


def _image_folders(store: Mapping[str, object]) -> Iterator[str]:
    """Where Podman keeps what it knows of images: its own storage, then those that it only reads."""
    options = store.get("graphOptions")
    others = [
        place
        for key, value in (options.items() if isinstance(options, dict) else ())
        if key.lower().endswith("imagestore") and isinstance(value, str)
        for place in value.split(",")
    ]
    for root in (store["graphRoot"], *others):
        yield os.path.join(str(root), f"{store['graphDriverName']}-images")


def _configuration(folder: str) -> bytes | None:
    """The configuration that the image's manifest names; None where the folder has none."""
    manifest = _read(os.path.join(folder, "manifest"))
    try:
        digest = json.loads(manifest or b"")["config"]["digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    # containers/storage names its files so where a name is not one of letters and digits
    return _read(os.path.join(folder, "=" + base64.b64encode(str(digest).encode()).decode()))


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_CONFIGURATION + 1)
    except OSError:
        return None
    return content if len(content) <= _MAX_CONFIGURATION else None


def _steps_in(content: bytes, image: str) -> list[str]:
    """Every ONBUILD step anywhere in the configuration: Podman takes the key in any case, and the last of several."""
    found: list[object] = []

    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found.extend(value for key, value in pairs if key.lower() == "onbuild" and value)
        return dict(pairs)

    try:
        json.loads(content.decode(errors="replace"), object_pairs_hook=collect)
    except (ValueError, RecursionError):
        raise _unreadable(image) from None
    return list(dict.fromkeys(str(step) for value in found for step in (value if isinstance(value, list) else [value])))


def _unreadable(image: str) -> DockerfileError:
    return DockerfileError(
        f"Podman's storage does not tell whether the image {image} has build steps of its own (ONBUILD).",
        "Where you trust the image, build with --allow-onbuild.",
    )
