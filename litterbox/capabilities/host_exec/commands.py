"""Answers `host_exec` of one box: what may run, where, who is asked, and its run from the start to the end."""

import shlex
from collections.abc import Callable, Mapping
from typing import Final

import attrs
import trio

from litterbox.capabilities.client import Client
from litterbox.capabilities.host_exec import allowed, child, environment, folder, streams
from litterbox.capabilities.host_exec.folder import Place
from litterbox.capabilities.host_exec.guarding import Guard
from litterbox.capabilities.host_exec.refused import CommandRefused
from litterbox.capabilities.policy import Detail, Policy
from litterbox.confirm.question import Approval, Question
from litterbox.confirm.spread import spread
from litterbox.container.commands import FOLDER_WARNING, Command, is_in_a_box
from litterbox.errors import LitterboxError
from litterbox_guest import messages
from litterbox_guest.messages import STREAMS, HostExec

CAPABILITY: Final = "host_exec"
MOST_CHILDREN: Final = 32

_MOST_FIELDS: Final = 4  # of a question, for the words of the command


@attrs.frozen(kw_only=True)
class HostCommands:
    """`environment` is what a program of the user's has on their newest login. State: how many more may run."""

    policy: Policy
    guard: Guard
    environment: Callable[[], Mapping[str, str]]
    _slots: trio.Semaphore = attrs.field(factory=lambda: trio.Semaphore(MOST_CHILDREN), init=False)

    async def answer(self, request: HostExec, client: Client) -> None:
        words = [request.command, *request.args]
        told: Detail = {"command": request.command, "purpose": shlex.join(words), "peer": client.peer}
        try:
            command = allowed.find(self.policy.settings().commands, request.command, request.args)
            if is_in_a_box(command.program):
                raise CommandRefused(f"{command.program} is in the home of a box, which could change it")
            with folder.opened(self.policy.box, command.folder, request.working_dir) as place:
                detail = {**told, "program": command.program, "folder": place.path}
                await self._answer(request, command, place, detail, client)
        except LitterboxError as refusal:
            self.policy.refuse(CAPABILITY, told, refusal.sentence)
            await client.refuse(refusal.sentence)

    async def _answer(self, request: HostExec, command: Command, place: Place, detail: Detail, client: Client) -> None:
        """Raises CommandRefused."""
        refusal = await self.policy.permit(CAPABILITY, lambda: self._question(request, command, place), detail)
        if refusal:
            await client.refuse(f"{request.command} was declined: {refusal}")
            return
        if self.policy.settings().commands.get(request.command) != command:
            raise CommandRefused("the settings of the box were changed meanwhile")
        try:
            self._slots.acquire_nowait()
        except trio.WouldBlock:
            raise CommandRefused(f"the box runs {MOST_CHILDREN} commands on the host already") from None
        try:
            await self._run(request, command, place, detail, client)
        finally:
            self._slots.release()

    def _question(self, request: HostExec, command: Command, place: Place) -> Question:
        """Raises CommandRefused where a window could not show all of it."""
        words = shlex.join([command.program, *request.args])
        shown = spread("Command", words, most=_MOST_FIELDS)
        if shown is None:
            raise CommandRefused("the command is too long to be shown in a question")
        where = ("Folder", place.path if command.folder == "box" else "an empty one")
        return Question(
            box=self.policy.box,
            asks="to run a command on this computer, outside of the box",
            fields=(*shown, where, ("Beware", FOLDER_WARNING)) if command.folder == "box" else (*shown, where),
            request=repr(request).encode(errors="surrogatepass"),
            approval=Approval(CAPABILITY, words, place.path),
        )

    async def _run(self, request: HostExec, command: Command, place: Place, detail: Detail, client: Client) -> None:
        term = request.terminal.term if request.terminal else None
        try:
            running = await child.start(
                [request.command, *request.args],
                command.program,
                folder=place.descriptor,
                environment=environment.of_a_command(self.environment(), term),
                terminal=request.terminal,
                announce=await self.guard.descriptor(),
            )
        except OSError as error:
            reason = f"{command.program} cannot be run on the host: {error.strerror}"
            self.policy.tell_failure(CAPABILITY, detail, reason)
            await client.refuse(reason)
            return
        status = None
        try:
            if STREAMS in client.features:
                await client.answer(messages.ack())
            status = await streams.relay(running, client)
        finally:
            await running.aclose()
            self.guard.forget(running.process.pid)
            self.policy.tell_end(CAPABILITY, {**detail, "status": "cut off" if status is None else status})
        await client.answer(messages.host_exec_done(status))
