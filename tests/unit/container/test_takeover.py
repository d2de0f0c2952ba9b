"""Definitions of the former layout: taken over with what their Dockerfiles copy, and nothing of it lost."""

import os
import re

import pytest

from litterbox import paths
from litterbox.container import define, takeover
from litterbox.errors import LitterboxError


@pytest.fixture
def definitions(own_root):
    """A folder of definitions as it was: `work`, `play`, and files that Dockerfiles may copy."""
    folder = own_root / "definitions"
    (folder / "tools" / "deep").mkdir(parents=True)
    for name in ("work.toml", "play.toml", "a.sh", "b.sh", ".hidden", "tools/one", "tools/deep/two", "secret.txt"):
        (folder / name).write_text(f"content of {name}")
    (folder / "a.sh").chmod(0o755)
    (folder / "play.Dockerfile").write_text("FROM play\n")
    return folder


def write(definitions, *lines, name="work"):
    (definitions / f"{name}.Dockerfile").write_text("\n".join(["FROM debian", *lines, ""]))


def in_context(definitions, name="work"):
    """Every file of the build context, relative to it."""
    found = []
    for parent, _, files in os.walk(definitions / name):
        found += [os.path.relpath(os.path.join(parent, file), definitions / name) for file in files]
    return sorted(found)


def test_the_dockerfile_moves_and_what_it_copies_is_copied(definitions, capsys):
    write(definitions, "COPY --chown=1:1 a.sh tools /x/", 'COPY ["b.sh", "/x/"]', "COPY --from=x secret.txt /x")
    text = (definitions / "work.Dockerfile").read_text()

    assert define.check_defined("work") == "work"

    assert in_context(definitions) == ["Dockerfile", "a.sh", "b.sh", "tools/deep/two", "tools/one"]
    assert (definitions / "work" / "Dockerfile").read_text() == text
    assert (definitions / "work" / "a.sh").stat().st_mode & 0o777 == 0o755
    assert not (definitions / "work.Dockerfile").exists()
    assert (definitions / "a.sh").exists()
    assert (definitions / "work.toml").exists()
    [line] = capsys.readouterr().err.splitlines()
    assert "a.sh, b.sh, tools" in line
    assert str(definitions / "work") in line


def test_only_the_box_that_is_needed_is_taken_over(definitions):
    write(definitions)

    define.check_defined("work")

    assert (definitions / "play.Dockerfile").exists()


def test_all_are_taken_over_for_a_list(definitions):
    write(definitions)

    assert define.defined() == ["play", "work"]
    assert not list(definitions.glob("*.Dockerfile"))
    assert define.defined() == ["play", "work"]


@pytest.mark.parametrize(
    ("source", "copied"),
    [
        ("*.sh", ["a.sh", "b.sh"]),
        ("?.sh .h*", [".hidden", "a.sh", "b.sh"]),
        ("./tools/deep/ /a.sh", ["a.sh", "tools/deep/two"]),
        ("tools/*", ["tools/deep/two", "tools/one"]),
        ("../../a.sh", ["a.sh"]),  # a context has no outside
    ],
)
def test_sources_are_found_as_a_build_finds_them(definitions, source, copied):
    write(definitions, f"COPY {source} /x/")

    define.check_defined("work")

    assert in_context(definitions) == sorted(["Dockerfile", *copied])


def test_the_whole_folder_is_copied_without_other_boxes(definitions):
    define.check_defined("play")
    (definitions / ".dockerignore").write_text("secret.txt\n")
    write(definitions, "COPY . /x")

    define.check_defined("work")

    expected = [".dockerignore", ".hidden", "Dockerfile", "a.sh", "b.sh", "secret.txt", "tools/deep/two", "tools/one"]
    assert in_context(definitions) == expected


@pytest.mark.parametrize("source", ["nothing.txt", "play.toml", "play.Dockerfile", "play", "work.toml", "outside"])
def test_what_cannot_be_copied_is_told_in_one_sentence(definitions, source, capsys, tmp_path):
    define.check_defined("play")
    capsys.readouterr()
    (tmp_path / "elsewhere").write_text("of the host")
    os.symlink(tmp_path / "elsewhere", definitions / "outside")
    write(definitions, f"COPY {source} a.sh /x/")

    define.check_defined("work")

    assert in_context(definitions) == ["Dockerfile", "a.sh"]
    [_, line] = capsys.readouterr().err.splitlines()
    assert f"'{source}'" in line
    assert str(definitions / "work") in line


def test_a_link_to_a_file_beside_it_is_copied_as_that_file(definitions):
    os.symlink("a.sh", definitions / "link.sh")
    write(definitions, "COPY link.sh /x/")

    define.check_defined("work")

    assert (definitions / "work" / "link.sh").read_text() == "content of a.sh"


def test_what_is_no_part_of_an_image_is_left_out(definitions):
    os.mkfifo(definitions / "tools" / "fifo")
    write(definitions, "COPY tools /x/")

    define.check_defined("work")

    assert in_context(definitions) == ["Dockerfile", "tools/deep/two", "tools/one"]


@pytest.mark.parametrize("target", ["elsewhere/Dockerfile", "../elsewhere/Dockerfile"])
def test_a_dockerfile_that_is_a_link_stays_one(definitions, target):
    folder = definitions / os.path.dirname(target)
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM linked\n")
    os.symlink(target, definitions / "work.Dockerfile")

    define.check_defined("work")

    assert (definitions / "work" / "Dockerfile").is_symlink()
    assert (definitions / "work" / "Dockerfile").read_text() == "FROM linked\n"
    assert not os.path.lexists(definitions / "work.Dockerfile")


def test_two_dockerfiles_are_refused_and_both_stay(definitions, capsys):
    write(definitions)
    (definitions / "work").mkdir()
    (definitions / "work" / "Dockerfile").write_text("FROM mine\n")

    with pytest.raises(LitterboxError, match="two Dockerfiles"):
        define.check_defined("work")
    assert define.defined() == ["play", "work"]
    assert "two Dockerfiles" in capsys.readouterr().err
    assert (definitions / "work" / "Dockerfile").read_text() == "FROM mine\n"
    assert (definitions / "work.Dockerfile").exists()


def test_a_file_in_the_place_of_a_copy_is_not_overwritten(definitions):
    write(definitions, "COPY a.sh b.sh /x/")
    (definitions / "work").mkdir()
    (definitions / "work" / "b.sh").write_text("mine")

    with pytest.raises(LitterboxError, match=re.escape(str(definitions / "work" / "b.sh"))):
        define.check_defined("work")

    assert (definitions / "work" / "b.sh").read_text() == "mine"
    assert (definitions / "work.Dockerfile").exists()


def test_a_folder_of_the_boxs_name_is_no_obstacle(definitions):
    (definitions / "work").mkdir()
    (definitions / "work" / "x").write_text("x")
    write(definitions, "COPY work/x /x/")

    define.check_defined("work")

    assert in_context(definitions) == ["Dockerfile", "work/x", "x"]


class Crash(Exception):
    pass


def test_a_crash_at_any_moment_loses_nothing(definitions, monkeypatch):
    """Before each system call that changes the disk in turn; the next command finishes it."""
    calls = {name: getattr(os, name) for name in ("mkdir", "rename", "unlink", "chmod", "utime")}
    write(definitions, "COPY a.sh tools /x/")
    everything = {path: path.read_bytes() for path in definitions.rglob("*") if path.is_file()}
    moments = 0
    while not (definitions / "work" / "Dockerfile").exists():
        left = moments

        def crash_when_due(name):
            def call(*arguments, **options):
                nonlocal left
                left -= 1
                if left < 0:
                    raise Crash
                return calls[name](*arguments, **options)

            return call

        with monkeypatch.context() as patch:
            for name in calls:
                patch.setattr(os, name, crash_when_due(name))
            try:
                takeover.take_over("work")
            except Crash:
                moments += 1
        for path, content in everything.items():
            moved = definitions / "work" / "Dockerfile" if path.name == "work.Dockerfile" else path
            assert (path if path.exists() else moved).read_bytes() == content
        for name in in_context(definitions):  # under its own name, a copy is whole
            if not os.path.basename(name).startswith(".") and name != "Dockerfile":
                assert (definitions / "work" / name).read_text() == f"content of {name}"

    assert moments > 5
    assert [name for name in in_context(definitions) if not os.path.basename(name).startswith(".")] == [
        "Dockerfile",
        "a.sh",
        "tools/deep/two",
        "tools/one",
    ]


def test_a_box_that_is_not_there_makes_nothing(own_root):
    takeover.take_over("work")

    assert not own_root.exists()
    assert not os.path.exists(paths.definitions())
