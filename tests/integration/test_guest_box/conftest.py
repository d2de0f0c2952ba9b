"""Three images: Debian without Python, one with nothing but a static busybox, one that tells when its tools are run."""

import shutil

import pytest
from support import guest_box

MARKED = ("sbin/ldconfig", "usr/bin/gcc", "usr/bin/cc", "usr/bin/ld", "usr/bin/objdump", "usr/bin/uname")

MARK = '#!/bin/sh\necho "$0 $*" >> /marks/run\nexit 1\n'
OPENSSL_SETTINGS = """
openssl_conf = openssl
[openssl]
providers = providers
[providers]
default = on
image = image
[on]
activate = 1
[image]
module = /provider.so
activate = 1
"""


@pytest.fixture(scope="session", autouse=True)
def _root(tmp_path_factory):
    """One Litterbox for all of these tests, so that its runtime is built once."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LITTERBOX_ROOT", str(tmp_path_factory.mktemp("root") / "Litterbox"))
        yield


@pytest.fixture(scope="session")
def scratch_image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scratch")
    shutil.copy(shutil.which("busybox") or "", folder / "busybox")
    return guest_box.build_image("scratch", "FROM scratch\nCOPY busybox /busybox\n", folder)


@pytest.fixture(scope="session")
def marking_image(tmp_path_factory):
    """Whatever Python might run to find a library leaves a mark in /marks; OpenSSL is told to load a library."""
    lines = [
        f"FROM {guest_box.BASE}",
        "RUN mkdir -m 777 /marks && cp /usr/lib/*/libz.so.1 /provider.so && mkdir -p /usr/lib/ssl",
        "COPY settings /usr/lib/ssl/openssl.cnf",
        *(f"COPY mark /{path}" for path in MARKED),
    ]
    return guest_box.build_image(
        "marking", "\n".join(lines), tmp_path_factory.mktemp("marking"), mark=MARK, settings=OPENSSL_SETTINGS
    )


@pytest.fixture(scope="module")
def box(request):
    """A Debian box that the tests of one file share."""
    name = request.module.__name__.rpartition(".")[2].replace("test_", "g-")[:32]
    with guest_box.running(name) as running:
        yield running
