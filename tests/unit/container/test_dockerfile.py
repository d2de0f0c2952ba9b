"""What a Dockerfile builds on and copies, read as Podman reads it."""

import pytest

from litterbox.container import dockerfile
from litterbox.errors import DockerfileError

ARGUMENTS = {"USER": "dev", "TARGETARCH": "amd64", "BUILDPLATFORM": "linux/amd64"}


def images(text):
    return [base.image for base in dockerfile.bases(text, ARGUMENTS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM debian", ["debian"]),
        ("\ufefffrom debian:trixie\r\nRUN x\r\n", ["debian:trixie"]),
        ("# a comment\n\n   FROM\tdebian\t AS  base\nFROM base\nFROM alpine as two\nFROM two", ["debian", "alpine"]),
        ("FROM scratch\nCOPY --from=golang /x /x", []),
        ("FROM \\\n  # in between\n\n  debian", ["debian"]),
        ("# escape=`\nFROM `\n debian\nRUN echo \\\nFROM alpine", ["debian", "alpine"]),
        ("FROM --platform=$BUILDPLATFORM golang AS build\nFROM debian", ["golang", "debian"]),
        ("ARG V=12\nFROM debian:$V", ["debian:12"]),
        ("ARG V\nFROM debian:${V:-13}", ["debian:13"]),
        ('ARG V="1 2" W=x\nFROM "debian:${W}"', ["debian:x"]),
        ("ARG BASE=debian\nARG TAG=$BASE:12\nFROM $TAG", ["debian:12"]),
        ("ARG USER\nFROM local/$USER", ["local/dev"]),
        ("FROM local/${USER}x", ["local/x"]),
        ("ARG USER=other\nFROM local/$USER-${TARGETARCH}", ["local/dev-amd64"]),
        ("ARG V=1\nFROM a${V:+b}${W:+c}${W-d}", ["abd"]),
        ("FROM debian\nARG V=12\nFROM alpine:3$V", ["debian", "alpine:3"]),
        ("FROM debian\nRUN echo a \\\n  FROM alpine", ["debian"]),
        ("FROM debian\nRUN <<EOF\nFROM alpine\nEOF\nFROM fedora", ["debian", "fedora"]),
        ("FROM debian\nCOPY <<-'a' <<b /x\n\tFROM one\n\ta\nFROM two\nb\nFROM fedora", ["debian", "fedora"]),
        ("FROM debian\nRUN echo '<<EOF'\nFROM fedora", ["debian", "fedora"]),
        ("FROM debian\nENV X <<EOF\nFROM fedora", ["debian", "fedora"]),
        ("FROM docker-archive:/x.tar", ["docker-archive:/x.tar"]),
    ],
)
def test_the_images_of_a_dockerfile(text, expected):
    assert images(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "FROM",
        "FROM a b",
        "FROM a IN b",
        "FROM $NOTHING",
        "FROM ${V/a/b}",
        "FROM ${V##x}",
        "FROM ${V:-${W}}",
        "FROM --chown=x debian",
        "FROM -x",
        "FROM evil AS Base\nFROM base",
        "FROM debian\nRUN <<EOF\nFROM alpine",
    ],
)
def test_what_cannot_be_known_is_refused(text):
    with pytest.raises(DockerfileError, match="Dockerfile"):
        images(text)


def test_images_are_replaced_and_nothing_else():
    text = (
        "\ufeff# syntax\nARG V=1\nFROM --platform=linux/arm64 \\\n a:$V \\\n AS one\r\n"
        "RUN FROM x\nFROM one\nFROM b\nRUN y\r\n"
    )
    found = dockerfile.bases(text, {})

    pinned = dockerfile.with_images(text, {base: f"id-of-{base.image}" for base in found})

    assert pinned == (
        "# syntax\nARG V=1\nFROM --platform=linux/arm64 id-of-a:1 AS one\nRUN FROM x\nFROM one\nFROM id-of-b\nRUN y\r\n"
    )
    assert [base.image for base in dockerfile.bases(pinned, {})] == ["id-of-a:1", "id-of-b"]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("COPY one two /target", ["one", "two"]),
        ("copy --chown=1:1 --chmod=755 one /target", ["one"]),
        ('COPY ["one two", "three", "/target"]', ["one two", "three"]),
        ("COPY one \\\n  # why\n  two \\\n  /target", ["one", "two"]),
        ("COPY --from=stage one /target", []),
        ("ADD https://example.org/x.tar git@example.org:x one.tar /target", ["one.tar"]),
        ("COPY <<EOF one /target\nCOPY no /x\nEOF", ["one"]),
        ("COPY *.sh dir/?x /target", ["*.sh", "dir/?x"]),
        ("ENV D=dir\nCOPY $D/one ${E:-other} /target", ["dir/one", "other"]),
        ("ENV D dir\nCOPY $D/one /target", ["dir/one"]),
        ("RUN --mount=type=bind,source=one,target=/x --mount=type=cache,target=/y true", ["one"]),
        ("RUN --mount=target=/x true", ["."]),
        ("RUN --mount=type=bind,from=stage,source=one,target=/x true", []),
        ("RUN COPY one /target", []),
        ("COPY . /target", ["."]),
    ],
)
def test_what_is_copied_from_the_context(instruction, expected):
    assert dockerfile.copied(f"FROM debian\n{instruction}\n") == expected
