"""Answers the `host_exec` requests of one box: checks the command, asks the user, runs it, and logs how it ended."""

import itertools
import logging
import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from litterbox import limits
from litterbox.capabilities import process_group
from litterbox.capabilities.client import Client
from litterbox.capabilities.host_exec import allowed, child, environment, folder, streams
from litterbox.capabilities.host_exec.allowed import CommandRefused
from litterbox.capabilities.host_exec.child import Child
from litterbox.capabilities.host_exec.early_messages import EarlyMessages, Withdrawn
from litterbox.capabilities.host_exec.folder import Place
from litterbox.capabilities.host_exec.guarding import Guard, open_guard
from litterbox.capabilities.policy import Detail, Policy
from litterbox.capabilities.replies import Ack, HostExecDone
from litterbox.confirm.fields import split_into_fields
from litterbox.confirm.question import Approval, Kind, Question, shows_all
from litterbox.confirm.said import MAX_APPROVED_WIDTH, Said, Words, logged, rendered
from litterbox.errors import LitterboxError
from litterbox.settings.host_commands import FOLDER_WARNING, Command, is_in_a_box
from litterbox_guest.messages import STREAMS, HostExec

CAPABILITY: Final = "host_exec"
MAX_CHILDREN: Final = limits.MAX_HOST_COMMANDS

_MAX_FIELDS: Final = 4  # fields of a question that show the command line
_MAX_FOLDER_FIELDS: Final = 2  # fields that show the folder

_logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class HostCommands:
    """Made by `open_host_commands`. State: how many more commands may run, and how many requests there were."""

    policy: Policy
    environment: Callable[[], Mapping[str, str]]
    guard: Guard
    nursery: trio.Nursery
    _slots: trio.Semaphore = attrs.field(factory=lambda: trio.Semaphore(MAX_CHILDREN), init=False)
    _numbers: Iterator[int] = attrs.field(factory=itertools.count, init=False)

    async def answer(self, request: HostExec, client: Client) -> None:
        """Answer the request, and return when the command has ended."""
        words = [request.command, *request.args]
        told: Detail = {
            "command": logged((Said(request.command),)),
            "purpose": logged((Said(shlex.join(words)),)),
            "peer": client.peer,
        }
        try:
            command = allowed.find(self.policy.settings().commands, request.command, request.args)
            if is_in_a_box(command.program):
                raise CommandRefused(f"{command.program} is in the home of a box, which could change it")
            with folder.opened(self.policy.box, command.folder, request.working_dir) as place:
                detail = {**told, "program": command.program, "folder": logged(_place(command, place))}
                await self._answer(request, command, place, detail, client)
        except LitterboxError as refusal:
            self.policy.refuse(CAPABILITY, told, refusal.sentence)
            await client.refuse(refusal.sentence)

    async def _answer(self, request: HostExec, command: Command, place: Place, detail: Detail, client: Client) -> None:
        """Ask the user, run the command, and carry its streams. Raises CommandRefused."""
        early = EarlyMessages(client)
        try:
            refusal = await early.listen_during(
                lambda: self.policy.permit(CAPABILITY, lambda: self._question(request, command, place), detail)
            )
        except Withdrawn as withdrawn:
            await client.refuse(str(withdrawn), status=withdrawn.status)
            return
        client = attrs.evolve(client, receive=early.receive)
        if refusal:
            await client.refuse(f"{request.command} was declined: {refusal}")
            return
        if self.policy.settings().commands.get(request.command) != command:
            raise CommandRefused("the settings of the box were changed meanwhile")
        try:
            self._slots.acquire_nowait()
        except trio.WouldBlock:
            raise CommandRefused(f"the box runs {MAX_CHILDREN} commands on the host already") from None
        running = None
        try:
            running = await self._start(request, command, place, detail, client)
        finally:
            if running is None:
                self._slots.release()
        if running is None:
            return
        status = None
        try:
            if STREAMS in client.features:
                await client.send(Ack())
            await streams.relay(running, client)
            status = await running.end()
        finally:
            await self._finish(running, detail, status)
        if status is not None:
            await client.send(HostExecDone(exit_code=status))

    def _question(self, request: HostExec, command: Command, place: Place) -> Question:
        """Make the question. Raises CommandRefused where a window cannot show all of it."""
        words = shlex.join([command.program, *request.args])
        shown = split_into_fields("Command", words, most=_MAX_FIELDS)
        in_box = command.folder == "box"
        where = (
            split_into_fields("Folder", place.path, most=_MAX_FOLDER_FIELDS)
            if in_box
            else (("Folder", "an empty one"),)
        )
        if shown is not None and where is not None:
            question = Question(
                box=self.policy.box,
                action=f"run {request.command} on this computer, outside of the box",
                warning=FOLDER_WARNING if in_box else "",
                fields=(*shown, *where),
                request=b"%d" % next(self._numbers),  # no two are equal: one approval is good for one run
                approval=Approval(
                    CAPABILITY,
                    words,
                    place.path,
                    rendered(_place(command, place), MAX_APPROVED_WIDTH),
                    rendered((Said(words),), MAX_APPROVED_WIDTH),
                    "this command",
                ),
                kind=Kind.HOST_COMMAND,
            )
            if shows_all(question):
                return question
        raise CommandRefused("the command is too long to be shown in a question")

    async def _start(
        self, request: HostExec, command: Command, place: Place, detail: Detail, client: Client
    ) -> Child | None:
        """Start the command. Returns None where it cannot be run; the client has then been told.

        Raises CommandRefused where there is no guard.
        """
        term = request.terminal.term if request.terminal else None
        announce = await self.guard.descriptor()
        try:
            running = await child.start(
                [command.program, *request.args],
                folder=place.descriptor,
                environment=environment.of_a_command(self.environment(), term),
                terminal=request.terminal,
                announce=announce,
            )
        except (OSError, subprocess.SubprocessError) as error:
            why = error.strerror if isinstance(error, OSError) else "it cannot be guarded"
            reason = f"{command.program} cannot be run on the host: {why}"
            self.policy.tell_failure(CAPABILITY, detail, reason)
            await client.refuse(reason)
            return None
        finally:
            os.close(announce)
        self.guard.remember(running.process.pid)
        return running

    async def _finish(self, running: Child, detail: Detail, status: int | None) -> None:
        """End the command if it still runs, log how it ended, and free its slot."""
        said: str | int = "cut off" if status is None else status
        if not running.is_over:
            status = await running.end()
        if status is None:
            _logger.warning("process %d does not end: another user's?", running.process.pid)
            self.nursery.start_soon(self._outlive, running)
        else:
            self._forget(running)
        self.policy.tell_end(CAPABILITY, {**detail, "status": said})

    async def _outlive(self, running: Child) -> None:
        await process_group.wait_exited(running.process)
        running.process.poll()
        self._forget(running)

    def _forget(self, running: Child) -> None:
        self.guard.forget(running.process.pid)
        self._slots.release()


def _place(command: Command, place: Place) -> Words:
    """The folder's path, marked as the box's words where the box chose it."""
    return (Said(place.path),) if command.folder == "box" else place.path


@asynccontextmanager
async def open_host_commands(
    policy: Policy, environment: Callable[[], Mapping[str, str]]
) -> AsyncIterator[HostCommands]:
    """Yield the host commands of a box, which can be used in the block.

    `environment` returns the environment variables of the user's newest login.
    """
    async with open_guard() as guard, trio.open_nursery() as nursery:
        yield HostCommands(policy=policy, environment=environment, guard=guard, nursery=nursery)
        nursery.cancel_scope.cancel()
