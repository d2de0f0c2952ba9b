"""What a box's own known_hosts may claim: a few short names, at a bounded cost, and nothing from elsewhere."""

import base64
import fcntl
import os
import signal

import asyncssh
import pytest
import trio
from support.workers import busy_workers

from litterbox.agent.box_claims import MAX_BYTES, MAX_LINE, MAX_LINES, BoxClaims
from litterbox.agent.patterns import MAX_NAME

KEY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
BLOB = KEY.public_data
MOMENT = 10  # seconds, for what took minutes or for ever


def public(key: asyncssh.SSHKey) -> str:
    return f"{key.get_algorithm()} {base64.b64encode(key.public_data).decode()}"


@pytest.fixture
def home(tmp_path):
    os.mkdir(tmp_path / ".ssh")
    return tmp_path


def write(home, *lines: str) -> None:
    (home / ".ssh" / "known_hosts").write_text("".join(f"{line}\n" for line in lines))


async def claims(home, key: bytes = BLOB) -> tuple[str, ...]:
    return (await BoxClaims(str(home))([key]))[key]


async def test_at_most_three_names_in_full(home):
    write(home, f"a,*.b,c,d,e {public(KEY)}")
    assert await claims(home) == ("a", "c", "d")


async def test_names_of_several_lines_once_each(home):
    write(home, f"a,b {public(KEY)} a comment", f"x {public(OTHER)}", f"b,c\t{public(KEY)}\r")
    assert await BoxClaims(str(home))([BLOB, OTHER.public_data, b"none"]) == {
        BLOB: ("a", "b", "c"),
        OTHER.public_data: ("x",),
        b"none": (),
    }


@pytest.mark.parametrize(
    "line",
    [
        f"# a {public(KEY)}",
        f"@cert-authority a {public(KEY)}",
        f"@revoked a {public(KEY)}",
        f"a,!b {public(KEY)}",
        f"|1|AAAA|AAAA {public(KEY)}",
        f"a? {public(KEY)}",
        f"a ssh-rsa {public(KEY).split()[1]}",
        f"a {public(KEY)}A",
        f"{public(KEY)}",
        f"{'a' * (MAX_NAME + 1)} {public(KEY)}",
        f"{'a,' * MAX_LINE} {public(KEY)}",
    ],
)
async def test_what_is_not_a_plain_short_name_is_no_claim(home, line):
    write(home, line)
    assert await claims(home) == ()


async def test_a_key_beyond_the_first_lines_or_the_first_bytes_is_not_found(home):
    write(home, *[f"! {public(KEY)}"] * (MAX_LINES - 1), f"a {public(KEY)}")
    assert await claims(home) == ("a",)
    write(home, *[f"! {public(KEY)}"] * MAX_LINES, f"a {public(KEY)}")
    assert await claims(home) == ()
    write(home, "x" * MAX_BYTES, f"a {public(KEY)}")
    assert await claims(home) == ()


async def test_a_box_without_a_file_claims_nothing(tmp_path):
    assert await claims(tmp_path) == ()
    assert await claims(tmp_path / "missing") == ()


async def test_the_file_is_read_once_and_again_when_it_changed(home):
    box = BoxClaims(str(home))
    write(home, f"a {public(KEY)}")
    assert await box([BLOB]) == {BLOB: ("a",)}
    read = box._file
    assert await box([BLOB, OTHER.public_data]) == {BLOB: ("a",), OTHER.public_data: ()}
    assert box._file is read
    write(home, f"b,c {public(KEY)}")
    assert await box([BLOB]) == {BLOB: ("b", "c")}
    os.unlink(home / ".ssh" / "known_hosts")
    assert await box([BLOB]) == {BLOB: ()}


async def test_a_box_cannot_lead_us_elsewhere(home, tmp_path_factory):
    write(home, f"a {public(KEY)}")
    for number, plant in enumerate(
        (
            lambda planted: os.symlink(home / ".ssh", planted / ".ssh"),
            lambda planted: (
                os.mkdir(planted / ".ssh"),
                os.symlink(home / ".ssh/known_hosts", planted / ".ssh/known_hosts"),
            ),
            lambda planted: (os.mkdir(planted / ".ssh"), os.mkfifo(planted / ".ssh/known_hosts")),
            lambda planted: os.mkfifo(planted / ".ssh"),
            lambda planted: os.makedirs(planted / ".ssh/known_hosts"),
        )
    ):
        planted = tmp_path_factory.mktemp(str(number))
        plant(planted)
        with trio.fail_after(MOMENT):
            assert await claims(planted) == ()


async def test_a_lease_on_the_file_keeps_nobody_waiting(home):
    """Who opens a leased file waits for 45 s, unless it says that it will not."""
    write(home, f"a {public(KEY)}")
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # the kernel's word to the holder
    try:
        leased = os.open(home / ".ssh" / "known_hosts", os.O_RDWR)
        fcntl.fcntl(leased, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        with trio.fail_after(MOMENT):
            assert await claims(home) == ()
        os.close(leased)
    finally:
        signal.signal(signal.SIGIO, before)


SHORT = b"\0\0\0\1x"


@pytest.mark.parametrize(
    "content",
    [
        ",".join(f"h{number}" for number in range(100_000)) + f" {public(KEY)}\n",
        ",".join(f"{number}" + "h" * 60_000 for number in range(16)) + f" {public(KEY)}\n",
        f"{','.join(f'{number:x}' for number in range(200))} {public(KEY)}\n" * 1000,
        f"{','.join('*a' * 500 for _ in range(4))} {public(KEY)}\n" * 200,
        f"a x {base64.b64encode(SHORT).decode()}\n" * 80_000,
        "\n" * MAX_BYTES,
    ],
)
async def test_no_file_takes_long(home, content):
    write(home, content)
    with trio.fail_after(MOMENT):
        for _ in range(10):
            os.utime(home / ".ssh" / "known_hosts")
            await BoxClaims(str(home))([BLOB, SHORT])


async def test_a_file_without_end_is_read_to_a_bound(home):
    write(home, f"a {public(KEY)}")
    os.truncate(home / ".ssh" / "known_hosts", 10**12)
    box = BoxClaims(str(home))
    assert await box([BLOB]) == {BLOB: ("a",)}
    assert len(box._file.content) == MAX_BYTES


async def test_it_is_read_by_a_worker_whom_nobody_else_waits_for(home):
    write(home, f"a {public(KEY)}")
    async with busy_workers():
        with trio.move_on_after(0.1) as waited:
            await claims(home)
    assert waited.cancelled_caught
    assert await claims(home) == ("a",)
