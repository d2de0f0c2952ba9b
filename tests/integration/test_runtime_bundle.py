"""The real runtime, made of the Python that runs the tests: what it carries, and what if it cannot be made."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

import litterbox_guest
from litterbox.container.runtime import bundles

MAX_BYTES = 45_000_000
MAX_UNUSED = 2_000_000  # bytes of modules that nothing imports when it starts
UNWELCOME = re.compile(r"(^|/)(test|tests|_tests|idlelib|tkinter|ensurepip|distutils|lib2to3|pydoc_data|unittest)(/|$)")

IMPORT_ALL = """
import sys, os, importlib
site = next(entry for entry in sys.path if entry.endswith("site-packages"))
from litterbox_guest import libraries
libraries.use_none_of_the_image()
for folder, _, files in os.walk(site + "/litterbox_guest"):
    package = os.path.relpath(folder, site).replace("/", ".")
    for file in files:
        name = file.removesuffix(".pyc")
        importlib.import_module(package if name == "__init__" else package + "." + name)
print(*{getattr(module, "__file__", None) for module in sys.modules.values()}, sep="\\n")
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundles.ensure(print, folder=str(tmp_path_factory.mktemp("bundle")))


def run_here(bundle, code, **environment):
    """Run code in the runtime as it stands on the host, by its own loader; returns what it printed."""
    folder = Path(bundle.folder)
    loader = next((folder / "lib").glob("ld-linux*"))
    stdlib = next(folder.glob("lib*/python3*"))
    path = [str(stdlib), str(stdlib / "lib-dynload"), str(stdlib / "site-packages")]
    command = [loader, "--library-path", folder / "lib", folder / "bin/python3", "-ISXutf8"]
    setting = f"import sys; sys.path[:] = {path!r}\n"
    return subprocess.run(
        [*command, "-c", setting + code], capture_output=True, text=True, check=True, env={"LC_ALL": "C", **environment}
    ).stdout


def test_it_carries_little_that_no_guest_command_imports(bundle, capsys):
    imported = {line.replace("<frozen>", "") for line in run_here(bundle, IMPORT_ALL).splitlines()}
    modules = [
        path for path in Path(bundle.folder).rglob("*") if path.suffix in {".pyc", ".so"} and "python3" in str(path)
    ]
    unused = sorted((path for path in modules if str(path) not in imported), key=lambda path: -path.stat().st_size)
    total = sum(path.stat().st_size for path in unused)

    with capsys.disabled():
        print(f"\nThe runtime: {bundle.size / 1e6:.1f} MB, {total / 1e6:.2f} MB of it modules that no command imports:")
        for path in unused:
            print(f"{path.stat().st_size / 1e3:8.1f} kB  {path.relative_to(bundle.folder)}")
    assert bundle.size < MAX_BYTES
    assert total < MAX_UNUSED


def test_nothing_in_it_is_for_developers_or_tells_of_this_host(bundle):
    files = [path for path in Path(bundle.folder).rglob("*") if path.is_file()]
    names = [str(path.relative_to(bundle.folder)) for path in files]
    here = {os.path.dirname(module.__file__).encode() for module in (os, trio, litterbox_guest)}

    assert [name for name in names if UNWELCOME.search(name) or name.endswith((".py", ".a", ".h"))] == []
    told = [path.name for path in files if path.suffix == ".pyc" and any(h in path.read_bytes() for h in here)]
    assert told == []


def test_everybody_in_the_box_may_read_it(bundle):
    closed = [path for path in Path(bundle.folder).rglob("*") if path.stat().st_mode & 0o444 != 0o444]
    closed += [
        path for path in Path(bundle.folder).rglob("*") if path.is_dir() and path.stat().st_mode & 0o111 != 0o111
    ]

    assert closed == []


def test_the_executable_is_one_script_for_the_carried_interpreter(bundle):
    with open(bundle.executable, encoding="ascii") as file:
        first = file.readline()

    assert first.startswith("#!/litterbox-runtime/bin/python3 -IS")
    assert os.access(bundle.executable, os.X_OK)


def test_an_image_with_a_locale_of_its_own_encoding_is_no_obstacle(bundle, tmp_path):
    """Without UTF-8 mode the interpreter looks for that codec, and aborts."""
    subprocess.run(["localedef", "--no-archive", "-f", "KOI8-R", "-i", "ru_RU", tmp_path / "ru_RU.koi8r"], check=True)

    told = run_here(bundle, "print(sys.getfilesystemencoding())", LOCPATH=str(tmp_path), LC_ALL="ru_RU.KOI8-R")

    assert told == "utf-8\n"


def test_looking_at_a_standing_one_costs_little(bundle):
    began = time.process_time()
    bundles.ensure(print, folder=os.path.dirname(bundle.folder))

    assert time.process_time() - began < 0.15


ENSURE = """
import sys
from litterbox.container.runtime import bundles
from litterbox.errors import LitterboxError
try:
    print(bundles.ensure(lambda line: None, folder=sys.argv[1]).content_id)
except LitterboxError as error:
    print(error.sentence)
    sys.exit(error.status)
"""


def in_a_mount_namespace(script, *arguments):
    """Run a shell script with mounts of its own; `$PYTHON $CODE` ensures a runtime in the folder it is given."""
    environment = {**os.environ, "PYTHON": sys.executable, "CODE": ENSURE}
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runtime"


def test_a_full_disk_is_a_sentence_and_leaves_nothing(folder):
    folder.mkdir()
    script = (
        'mount -t tmpfs -o size=6m none "$1"; "$PYTHON" -c "$CODE" "$1" || status=$?; ls -A "$1"; exit "${status-0}"'
    )

    done = in_a_mount_namespace(script, str(folder))

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"The runtime for boxes cannot be written to {folder}: No space left on device.",
        ".lock",
    ]


def test_a_read_only_folder_is_a_sentence(folder):
    folder.mkdir()
    script = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; "$PYTHON" -c "$CODE" "$1"'

    done = in_a_mount_namespace(script, str(folder))

    assert (done.returncode, done.stderr) == (1, "")
    assert "Read-only file system" in done.stdout


def test_a_patchelf_that_fails_is_a_sentence(folder, monkeypatch, tmp_path):
    broken = tmp_path / "patchelf"
    broken.write_text("#!/bin/sh\necho patchelf: out of luck >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("litterbox.container.runtime.shared_libraries.patchelf", lambda: str(broken))

    with pytest.raises(Exception, match=r"cannot be made relocatable: patchelf: out of luck"):
        bundles.ensure(lambda _line: None, folder=str(folder))
    assert os.listdir(folder) == [".lock"]


def test_a_builder_killed_halfway_is_no_obstacle(folder):
    command = [sys.executable, "-c", ENSURE, str(folder)]
    with subprocess.Popen(command) as builder:
        while not folder.exists() or not any(name.startswith(".building-") for name in os.listdir(folder)):
            time.sleep(0.01)
        time.sleep(1)
        builder.kill()

    bundle = bundles.ensure(lambda _line: None, folder=str(folder))

    assert run_here(bundle, "import litterbox_guest.main; print('works')") == "works\n"
    assert not any(name.startswith(".building-") for name in os.listdir(folder))


def test_the_tool_says_what_it_carries(bundle):
    tool = Path(__file__).parents[2] / "tools" / "build-runtime"
    command = [sys.executable, tool, os.path.dirname(bundle.folder)]

    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    listing = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)

    assert bundle.content_id in table
    assert listing["size"] == bundle.size == sum(listing["files"].values())
    assert "bin/python3" in listing["files"]
