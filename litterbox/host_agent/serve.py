"""The nursery tree of `litterbox agent`: the SSH agent by itself, in the foreground, for the user's own programs."""

import logging
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import attrs
import trio

from litterbox import limits, memory, paths
from litterbox.agent.added import AddedKeys
from litterbox.agent.decisions import Agent, Approve
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.server import serve_agent
from litterbox.agent.stored import StoreIdentities
from litterbox.audit import AuditLog
from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Question
from litterbox.confirm.queue import open_dialog_queue
from litterbox.connections import Totals
from litterbox.control.client import DISPLAY_VARIABLES
from litterbox.daemon.serve import forget_on_signal
from litterbox.daemon.sockets import open_listener_at
from litterbox.errors import INTERRUPTED, DaemonError, LitterboxError
from litterbox.host_agent.command import run_command
from litterbox.log_format import EscapingFormatter
from litterbox.log_repeats import RepeatsHandler
from litterbox.peers import Peer

_ENDS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class HostAgent:
    """What to serve at `path`: the store's `keys`, by name, opened with `vault_key`. Dialogs wait `timeout` seconds."""

    path: str
    approve: Approve
    keys: Sequence[str]
    vault_key: bytes | None = attrs.field(repr=False)
    timeout: float


def run(agent: HostAgent, command: Sequence[str]) -> int:
    """Serve until a signal ends it, or until `command` has ended; returns the exit status.

    Raises LitterboxError where it cannot serve, or falls, or the command cannot be run.
    """
    # Beside a command's own words, only what its user must know.
    level = logging.WARNING if command else logging.INFO
    _configure_log(level)
    memory.prepare()
    most = limits.connections(1)
    try:
        return trio.run(_serve, agent, command, most)
    except Exception as error:
        raise _reason(error) from error


def _configure_log(level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EscapingFormatter("litterbox: %(message)s"))
    logging.basicConfig(level=level, handlers=[RepeatsHandler([handler])])


async def _serve(agent: HostAgent, command: Sequence[str], most: int) -> int:
    display = {name: value for name in DISPLAY_VARIABLES if (value := os.environ.get(name))}
    added, totals = AddedKeys(), Totals()
    status = 0

    async def show(question: Question) -> Answer:
        return await zenity.show(question, displays=[display] if display else [], within=agent.timeout)

    async with AsyncExitStack() as stack:
        signals = stack.enter_context(trio.open_signal_receiver(*_to_receive(command)))
        audit = stack.enter_context(AuditLog("agent", path=paths.agent_audit_log()))
        listener = await stack.enter_async_context(open_listener_at(agent.path))
        dialogs = await stack.enter_async_context(open_dialog_queue(show))
        nursery = await stack.enter_async_context(trio.open_nursery())
        await nursery.start(forget_on_signal, added)
        nursery.start_soon(totals.give_memory_back)
        await nursery.start(
            partial(
                serve_agent,
                listener,
                Agent(
                    box=None,
                    stored=StoreIdentities.named(agent.keys, lambda: agent.vault_key),
                    added=added,
                    known_hosts=KnownHosts(),
                    ask=dialogs.ask,
                    audit=audit,
                    approve=agent.approve,
                ),
                accepts=_is_own,
                most=most,
                totals=totals,
            )
        )
        memory.settle()
        if command:
            status = await run_command(command, signals, SSH_AUTH_SOCK=agent.path)
        else:
            print(f"SSH_AUTH_SOCK={shlex.quote(agent.path)}", flush=True)
            status = await _until(signals)
        nursery.cancel_scope.cancel()
    return status


def _to_receive(command: Sequence[str]) -> list[signal.Signals]:
    """The signals that end us; one that is ignored (nohup, a shell's `&`) stays so, for the command too."""
    # A terminal's SIGQUIT would leave a command that survives it without its agent.
    numbers = (*_ENDS, signal.SIGQUIT) if command else _ENDS
    return [n for n in numbers if n is signal.SIGTERM or signal.getsignal(n) is not signal.SIG_IGN]


def _is_own(peer: Peer) -> bool:
    return peer.uid == os.getuid()


async def _until(signals: AsyncIterator[int]) -> int:
    number = await anext(signals)
    _logger.info("received %s", signal.Signals(number).name)
    return INTERRUPTED if number == signal.SIGINT else 0


def _reason(error: Exception) -> Exception:
    """The first error that has a sentence; else that it is our fault, with the details for whoever looks for it."""
    found = error
    while isinstance(found, ExceptionGroup):
        found = (found.subgroup((LitterboxError, OSError)) or found).exceptions[0]
    if isinstance(found, LitterboxError | OSError):
        return found
    _logger.error("the agent has failed", exc_info=error)
    return DaemonError("The agent failed by a fault of its own.")
