"""Reading a Dockerfile as Podman does: its instructions, the images that it builds on, the files that it copies.

Pure text work: knows neither Podman nor the disk. The rules are those of the parser that Podman uses
(github.com/openshift/imagebuilder, dockerfile/parser), which are Docker's of 2017, and its heredocs.
"""

import json
import re
from collections.abc import Iterator, Mapping

import attrs

from litterbox.container import dockerfile_words
from litterbox.errors import DockerfileError

# What Go's unicode.IsSpace takes for a blank; Python's own set is larger.
_SPACE = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and c not in "\x1c\x1d\x1e\x1f")
_ESCAPE_DIRECTIVE = re.compile(r"#[ \t]*escape[ \t]*=[ \t]*(.)", re.IGNORECASE)
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
_WITH_HEREDOCS = frozenset({"add", "copy", "run"})
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git@|github\.com/")


@attrs.frozen
class Instruction:
    """One instruction: its keyword in lower case, its options (`--x=y`), what follows, and the lines that it takes."""

    keyword: str
    options: tuple[str, ...]
    rest: str
    first: int
    after: int  # the first line, counted from 0, that is no longer the instruction's


@attrs.frozen
class Base:
    """A FROM line that takes an image. `platform` is "" where the line names none; `stage` is "" likewise."""

    instruction: Instruction
    image: str
    platform: str
    stage: str


def instructions(text: str) -> list[Instruction]:
    """All instructions, in their order. Raises DockerfileError for a heredoc without its end."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape = _escape(lines)
    found: list[Instruction] = []
    number = 0
    while number < len(lines):
        first = number
        line, goes_on = _continued(_without_comment(lines[number].lstrip(_SPACE)), escape)
        number += 1
        if not line and not goes_on:
            continue
        while goes_on and number < len(lines):
            following = _without_comment(lines[number])
            number += 1
            if _without_comment(following.lstrip(_SPACE)):
                more, goes_on = _continued(following, escape)
                line += more
        keyword, _, rest = dockerfile_words.partition(line.strip(_SPACE))
        options, rest = dockerfile_words.leading_options(rest)
        number = _after_heredocs(keyword.lower(), rest, lines, number)
        found.append(Instruction(keyword.lower(), tuple(options), rest, first, number))
    return found


def bases(text: str, arguments: Mapping[str, str]) -> list[Base]:
    """The images that the stages build on, without `scratch` and earlier stages.

    `arguments` are the build arguments, and those that Podman knows by itself (TARGETARCH and such). Raises
    DockerfileError where a name cannot be known before the build.
    """
    declared: dict[str, str] = {name: value for name, value in arguments.items() if _is_automatic(name)}
    stages: list[str] = []
    found = []
    for instruction in instructions(text):
        if instruction.keyword == "arg" and not stages:
            _declare(instruction.rest, declared, arguments)
        if instruction.keyword != "from":
            continue
        base = _base(instruction, declared)
        if base.image not in stages and base.image != "scratch":
            if base.image.lower() in (stage.lower() for stage in stages):
                raise DockerfileError(
                    f"The Dockerfile has FROM {base.image!a}, and a stage whose name differs only in its case.",
                    "Write both alike.",
                )
            found.append(base)
        stages.append(base.stage or f"\0{len(stages)}")  # an unnamed stage cannot be built on
    return found


def with_images(text: str, images: Mapping[Base, str]) -> str:
    """The Dockerfile with the image of each FROM line replaced by what `images` says, and all else as it is."""
    lines = text.removeprefix("\ufeff").split("\n")
    for base, image in sorted(images.items(), key=lambda item: -item[0].instruction.first):
        words = ["FROM", *([f"--platform={base.platform}"] if base.platform else []), image]
        words += ["AS", base.stage] if base.stage else []
        lines[base.instruction.first : base.instruction.after] = [" ".join(words)]
    return "\n".join(lines)


def copied(text: str) -> list[str]:
    """What COPY, ADD and `RUN --mount=type=bind` take from the build context, relative to it; wildcards stay.

    Variables are replaced as far as the Dockerfile says their values. Raises DockerfileError.
    """
    known: dict[str, str] = {}
    found: dict[str, None] = {}
    for instruction in instructions(text):
        if instruction.keyword in ("arg", "env"):
            _declare(instruction.rest, known, {})
        for source in _sources(instruction):
            try:
                place = dockerfile_words.expand(source, known)
            except DockerfileError:
                place = source
            if place and not _REMOTE.match(place) and not _HEREDOC.fullmatch(place):
                found[place] = None
    return list(found)


def _sources(instruction: Instruction) -> Iterator[str]:
    options = dict(option.removeprefix("--").partition("=")[::2] for option in instruction.options)
    if instruction.keyword in ("add", "copy") and "from" not in options:
        yield from _words_or_json(instruction.rest)[:-1]
    if instruction.keyword == "run":
        for option in instruction.options:
            name, _, value = option.partition("=")
            fields = dict(field.partition("=")[::2] for field in value.split(","))
            if name == "--mount" and fields.get("type", "bind") == "bind" and "from" not in fields:
                yield fields.get("source") or fields.get("src") or "."


def _words_or_json(rest: str) -> list[str]:
    if rest.startswith("["):
        try:
            listed = json.loads(rest)
        except ValueError:
            listed = None
        if isinstance(listed, list) and all(isinstance(word, str) for word in listed):
            return listed
    return dockerfile_words.fields(rest)


def _base(instruction: Instruction, declared: Mapping[str, str]) -> Base:
    words = dockerfile_words.fields(instruction.rest)
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].lower() != "as"):
        raise DockerfileError(
            f"The Dockerfile has a FROM line that is not `FROM IMAGE` or `FROM IMAGE AS STAGE`: {instruction.rest!a}."
        )
    image = dockerfile_words.expand(words[0], declared)
    if not image or image.startswith("-"):
        raise DockerfileError(f"The Dockerfile has FROM {words[0]!a}, which names no image.")
    platform = ""
    for option in instruction.options:
        name, _, value = option.partition("=")
        if name != "--platform":
            raise DockerfileError(f"The Dockerfile has a FROM line with the unknown option {name!a}.")
        platform = dockerfile_words.expand(value, declared)
    stage = words[2] if len(words) == 3 else ""
    return Base(instruction, image, platform, stage)


def _declare(rest: str, known: dict[str, str], given: Mapping[str, str]) -> None:
    """Take the values that ARG or ENV gives; `given` overrides them. What cannot be known is left out."""
    words = dockerfile_words.quoted_fields(rest)
    if len(words) > 1 and "=" not in words[0]:  # ENV NAME VALUE, its older form
        words = [f"{words[0]}={' '.join(words[1:])}"]
    for word in words:
        name, equals, value = word.partition("=")
        known.pop(name, None)
        if name in given:
            known[name] = given[name]
        elif equals:
            try:
                known[name] = dockerfile_words.expand(value, known)
            except DockerfileError:
                continue


def _is_automatic(name: str) -> bool:
    return name.startswith(("TARGET", "BUILD"))


def _escape(lines: list[str]) -> str:
    """The escape character, which the first line may set."""
    directive = _ESCAPE_DIRECTIVE.match(lines[0].lstrip(_SPACE))
    return directive.group(1) if directive and directive.group(1) in "\\`" else "\\"


def _without_comment(line: str) -> str:
    return "" if line.startswith("#") else line


def _continued(line: str, escape: str) -> tuple[str, bool]:
    """The line without the escape at its end, and whether there was one."""
    bare = line.rstrip(" \t")
    return (bare[:-1], True) if bare.endswith(escape) else (line, False)


def _after_heredocs(keyword: str, rest: str, lines: list[str], number: int) -> int:
    """The line behind the texts (`<<NAME`) that follow an instruction."""
    if keyword not in _WITH_HEREDOCS or "<<" not in rest:
        return number
    for word in dockerfile_words.quoted_fields(rest):
        heredoc = _HEREDOC.fullmatch(word)
        if heredoc is None:
            continue
        name = dockerfile_words.unquoted(heredoc.group(2))
        while number < len(lines):
            line = lines[number].lstrip("\t") if heredoc.group(1) else lines[number]
            number += 1
            if line == name:
                break
        else:
            raise DockerfileError(f"The Dockerfile has a heredoc {name!a} without its end.")
    return number
