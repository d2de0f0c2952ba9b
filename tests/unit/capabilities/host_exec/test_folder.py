"""The folder of a host command: empty, or exactly the caller's; a link on the way is a refusal, always."""

import os
import threading

import pytest

from litterbox import paths
from litterbox.capabilities.host_exec import folder
from litterbox.capabilities.host_exec.allowed import CommandRefused

TRIES = 10_000


@pytest.fixture
def home():
    os.makedirs(paths.home("work"))
    return paths.home("work")


def of_the_caller(working_dir):
    """Where the descriptor leads."""
    with folder.opened("work", "box", working_dir) as place:
        found = os.readlink(f"/proc/self/fd/{place.descriptor}")
    assert found == os.path.realpath(place.path)
    return found


def test_the_empty_one_is_empty_unwritable_and_out_of_the_boxs_reach():
    for _ in range(2):
        with folder.opened("work", "empty", "/anywhere") as place:
            assert os.listdir(place.descriptor) == []
            assert os.fstat(place.descriptor).st_mode & 0o777 == 0o500
            assert os.readlink(f"/proc/self/fd/{place.descriptor}") == os.path.realpath(place.path)
    assert os.path.commonpath([place.path, paths.sockets("work")]) != paths.sockets("work")


def test_one_that_is_not_empty_is_refused():
    os.makedirs(f"{paths.empty_folder('work')}/.git")
    with pytest.raises(CommandRefused, match="not empty"), folder.opened("work", "empty", ""):
        pass


@pytest.mark.parametrize("what", ["link", "file"])
def test_another_thing_in_its_place_is_refused(what, tmp_path):
    os.makedirs(os.path.dirname(paths.empty_folder("work")))
    if what == "link":
        os.symlink(tmp_path, paths.empty_folder("work"))
    else:
        open(paths.empty_folder("work"), "w").close()
    with pytest.raises(CommandRefused, match="no folder to run it in"), folder.opened("work", "empty", ""):
        pass


@pytest.mark.parametrize(
    "inside",
    ["", "/a", "/a/b/c/d/e/f/g", "/with space", "/-rf", "/\n", "/é", "/\udcff\udc80", "/'\"$`\\", "/...", "/ ",
     "/" + "x" * 255, "/a" * 100],
)  # fmt: skip
def test_the_callers_is_the_one_that_corresponds(home, inside):
    os.makedirs(home + inside, exist_ok=True)
    assert of_the_caller(f"/home/user{inside}") == os.path.realpath(home + inside)


@pytest.mark.parametrize(
    "working_dir",
    ["", "/", "/tmp", "/home", "/home/user2", "/home/userx/a", "home/user", "a", "/home/user/../../etc",
     "/home/user/..", "/home/user/a/../a", "/home/user/.", "/home/user//a", "/home/user/", "/home/user/a/",
     "/home/user/a\0b", "/home/user/\ud800", "/home/user/nothing", "/home/user/file", "/home/user/" + "x" * 256],
)  # fmt: skip
def test_what_is_no_plain_folder_below_the_home_is_refused(home, working_dir):
    os.mkdir(f"{home}/a")
    open(f"{home}/file", "w").close()
    with pytest.raises(CommandRefused) as caught:
        of_the_caller(working_dir)
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("planted", ["x", "a/x", "a/b/x"])
@pytest.mark.parametrize("target", ["/", "..", "/home/user", ".", "a"])
def test_a_link_on_the_way_is_refused(home, planted, target):
    os.makedirs(f"{home}/a/b/a")
    os.symlink(target, f"{home}/{planted}")
    for path in (planted, f"{planted}/a"):
        with pytest.raises(CommandRefused, match="cannot be opened without following links"):
            of_the_caller(f"/home/user/{path}")


def test_a_folder_that_is_swapped_for_a_link_never_leads_out(home, tmp_path):
    """The box swaps a folder on the way for a link, back and forth, while the host looks for it."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    os.makedirs(f"{home}/a/deep")
    os.symlink(outside, f"{home}/link")
    swapping = True

    def swap():
        while swapping:
            os.rename(f"{home}/a", f"{home}/kept")
            os.rename(f"{home}/link", f"{home}/a")
            os.rename(f"{home}/a", f"{home}/link")
            os.rename(f"{home}/kept", f"{home}/a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    found, refused = 0, 0
    try:
        for _ in range(TRIES):
            try:
                with folder.opened("work", "box", "/home/user/a/deep") as place:
                    led_to = os.readlink(f"/proc/self/fd/{place.descriptor}")
                    # What was opened in the home may be moved within it afterwards, never out of it.
                    assert led_to.startswith(os.path.realpath(home) + "/")
                    found += 1
            except CommandRefused:
                refused += 1
    finally:
        swapping = False
        swapper.join()
    assert found + refused == TRIES
    assert found
    assert refused


def test_no_descriptor_is_left_open(home):
    os.makedirs(f"{home}/a/b")
    before = len(os.listdir("/proc/self/fd"))
    for working_dir in ("/home/user/a/b", "/home/user/a/nothing", "/tmp"):
        try:
            of_the_caller(working_dir)
        except CommandRefused:
            continue
    assert len(os.listdir("/proc/self/fd")) == before
