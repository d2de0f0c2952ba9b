"""The images that a build stands on: which are fetched, and whose own build steps are found, in any spelling."""

import base64
import json

import pytest

from litterbox.container import base_images, podman
from litterbox.errors import DockerfileError, PodmanError

INFO = {"host": {"os": "linux", "arch": "amd64"}}


class Podman:
    """Podman's images: {name: id}; lists what was pulled."""

    def __init__(self, graph):
        self.images = {}
        self.pulled = []
        self.broken = False
        self.graph = graph
        self.platform = "linux/amd64"

    def run(self, *arguments):
        if arguments[0] == "info":
            store = {"graphRoot": str(self.graph), "graphDriverName": "overlay", "graphOptions": {}}
            return json.dumps({**INFO, "store": store})
        assert arguments[:3] == ("image", "inspect", "--format")
        return self.images[arguments[4]] if arguments[3] == "{{.Id}}" else self.platform

    def exists(self, kind, name):
        assert kind == "image"
        return name in self.images

    def show(self, *arguments):
        if self.broken:
            raise PodmanError("no network")
        self.pulled.append(arguments)
        self.images[arguments[-1]] = "0" * 64
        self.put("0" * 64, b"{}")

    def put(self, image_id, configuration, name=None):
        """Store an image as containers/storage does."""
        folder = self.graph / "overlay-images" / image_id
        folder.mkdir(parents=True, exist_ok=True)
        digest = f"sha256:{image_id}"
        (folder / "manifest").write_text(json.dumps({"config": {"digest": digest}}))
        (folder / ("=" + base64.b64encode(digest.encode()).decode())).write_bytes(configuration)
        if name:
            self.images[name] = image_id


@pytest.fixture
def storage(tmp_path, monkeypatch):
    storage = Podman(tmp_path)
    for name in ("run", "exists", "show"):
        monkeypatch.setattr(podman, name, getattr(storage, name))
    return storage


def pin(text, **options):
    return base_images.pin("work", text, **{"arguments": {}, "renew": False, "allow_onbuild": False, **options})


def test_the_build_takes_the_image_that_was_looked_into(storage):
    storage.put("a" * 64, b"{}", "debian")

    assert pin("FROM debian\nRUN x\n") == f"FROM {'a' * 64}\nRUN x\n"
    assert storage.pulled == []


def test_a_missing_image_is_fetched(storage):
    assert pin("FROM debian\n") == f"FROM {'0' * 64}\n"
    assert storage.pulled == [("pull", "debian")]


def test_a_rebuild_looks_for_newer_ones_where_there_is_a_registry(storage):
    storage.put("a" * 64, b"{}", "debian")
    storage.put("b" * 64, b"{}", "localhost/mine")

    pin("FROM debian\nFROM localhost/mine\n", renew=True)

    assert storage.pulled == [("pull", "debian")]


def test_a_rebuild_without_a_network_takes_what_is_there(storage):
    storage.put("a" * 64, b"{}", "debian")
    storage.broken = True

    assert pin("FROM debian\n", renew=True) == f"FROM {'a' * 64}\n"
    with pytest.raises(PodmanError):
        pin("FROM alpine\n", renew=True)


def test_another_platforms_image_is_fetched_for_that_platform(storage):
    storage.put("a" * 64, b"{}", "debian")

    pin("FROM --platform=linux/arm64 debian\nFROM --platform=linux/amd64 debian\n")

    assert storage.pulled == [("pull", "--platform=linux/arm64", "debian")]


@pytest.mark.parametrize(
    "configuration",
    [
        b'{"config":{"OnBuild":["RUN evil"]}}',
        b'{"config":{"onbuild":["RUN evil"]}}',
        b'{"config":{"ONBUILD":["RUN evil"],"OnBuild":[]}}',
        b'{"config":{"OnBuild":["RUN evil"],"OnBuild":null}}',
        b'{"config":{"\\u004fnBuild":["RUN evil"]}}',
        b'{"container_config":{"OnBuild":["RUN evil"]},"config":{"OnBuild":null}}',
        b'{"config":{},"CONFIG":{"OnBuild":["RUN evil"]}}',
        b'{"x":"\xff","config":{"OnBuild":"RUN evil"}}',
    ],
)
def test_build_steps_are_found_however_they_are_written(storage, configuration):
    storage.put("a" * 64, configuration, "evil")

    with pytest.raises(DockerfileError, match="RUN evil") as caught:
        pin("FROM scratch\nFROM evil AS build\nFROM scratch\n")
    assert "litterbox build work --allow-onbuild" in caught.value.hint
    assert pin("FROM evil\n", allow_onbuild=True) == f"FROM {'a' * 64}\n"


@pytest.mark.parametrize("configuration", [b'{"config":{"OnBuild":null}}', b'{"history":["ONBUILD RUN x"]}', b"{}"])
def test_an_image_without_build_steps_passes(storage, configuration):
    storage.put("a" * 64, configuration, "good")

    pin("FROM good\n")


@pytest.mark.parametrize("configuration", [b"", b"not JSON", b"[" * 100_000, b" " * (4 * 1024 * 1024 + 1)])
def test_an_image_that_cannot_be_looked_into_is_refused(storage, configuration):
    storage.put("a" * 64, configuration, "odd")

    with pytest.raises(DockerfileError, match="does not tell"):
        pin("FROM odd\n")


def test_an_image_that_is_not_in_the_storage_is_refused(storage):
    storage.images["elsewhere"] = "c" * 64

    with pytest.raises(DockerfileError, match="does not tell"):
        pin("FROM elsewhere\n")


def test_the_sentence_shows_hostile_steps_escaped_and_bounded(storage):
    steps = ["RUN \x1b[2J" + "x" * 100_000, *["COPY . /x"] * 1000, *[f"RUN {n}" for n in range(1000)]]
    storage.put("a" * 64, json.dumps({"config": {"OnBuild": steps}}).encode(), "evil")

    with pytest.raises(DockerfileError) as caught:
        pin("FROM evil\n")

    assert "\x1b" not in caught.value.sentence
    assert len(caught.value.sentence) < 1500
    assert "more" in caught.value.sentence
