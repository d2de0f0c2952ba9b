"""The nursery tree of one box: what runs in its daemon, in the order in which it comes up."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from types import FrameType

import trio

from litterbox import memory, paths
from litterbox.agent.added import AddedKeys
from litterbox.agent.box_claims import BoxClaims
from litterbox.agent.decisions import Agent
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.server import serve_agent
from litterbox.agent.stored import StoreIdentities
from litterbox.audit import AuditLog
from litterbox.capabilities.server import GuestDaemons, serve_capabilities
from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Question
from litterbox.confirm.queue import open_dialog_queue
from litterbox.connections import Totals
from litterbox.daemon.capabilities import open_capabilities
from litterbox.daemon.container import open_container_watcher
from litterbox.daemon.control import serve_control
from litterbox.daemon.displays import Displays
from litterbox.daemon.guest import renew_guest_daemon
from litterbox.daemon.requests import Requests
from litterbox.daemon.sessions import SessionWatcher
from litterbox.daemon.shutdown import until_the_end
from litterbox.daemon.sockets import open_unix_listener
from litterbox.limits import MAX_CONNECTIONS
from litterbox.peers import BoxPeers
from litterbox.sessions import SessionLock
from litterbox.settings.box_settings import dialog_timeout

_logger = logging.getLogger(__name__)


async def serve(
    name: str,
    *,
    sessions: SessionLock,
    vault_key: bytes | None,
    for_session: bool,
    most_connections: int = MAX_CONNECTIONS,
    ready: Callable[[], None],
) -> int:
    """Serve the box `name` until its last session is gone or it is told to stop; then stop the box.

    `sessions` is open for as long as the daemon lives, so that the box can take no lease on that file. The box may have
    `most_connections` to each of its two sockets. `ready` is called when every part serves. Returns
    the descriptor of the enter lock, held: the caller closes it after the daemon lock; -1 when a second signal cut the
    end short. An exception in a listener ends the whole tree; what it was is raised in a group.
    """
    enter_lock = -1
    displays = Displays()
    stop = trio.Event()

    async def show(question: Question) -> Answer:
        within = await trio.to_thread.run_sync(dialog_timeout, name)
        return await zenity.show(question, displays=displays.newest_first(), within=within)

    async with AsyncExitStack() as stack:
        audit = stack.enter_context(AuditLog(name))
        control = await stack.enter_async_context(open_unix_listener(paths.control_socket(name)))
        agent_listener = await stack.enter_async_context(open_unix_listener(paths.agent_socket(name)))
        host = await stack.enter_async_context(open_unix_listener(paths.host_socket(name)))
        container = await stack.enter_async_context(open_container_watcher(name))
        dialogs = await stack.enter_async_context(open_dialog_queue(show))
        capabilities = await stack.enter_async_context(
            open_capabilities(name, displays=displays, ask=dialogs.ask, audit=audit)
        )
        nursery = await stack.enter_async_context(trio.open_nursery())

        watcher = SessionWatcher(sessions, seen_any=for_session)
        guest_daemons = GuestDaemons()
        renew = partial(renew_guest_daemon, name, container, guest_daemons)
        requests = Requests(
            name,
            vault_key=vault_key,
            stop=stop,
            displays=displays,
            container=container,
            watcher=watcher,
            dialogs=dialogs,
            settings_changed=renew,
        )
        added = AddedKeys()
        peers, totals = BoxPeers(), Totals()
        nursery.start_soon(totals.give_memory_back)
        await nursery.start(_stop_on_signal, stop, nursery.cancel_scope)
        await nursery.start(forget_on_signal, added)
        await nursery.start(watcher.run)
        await nursery.start(
            partial(
                serve_agent,
                agent_listener,
                Agent(
                    box=name,
                    stored=StoreIdentities.of_box(name, lambda: requests.vault_key),
                    added=added,
                    known_hosts=KnownHosts(),
                    claims=BoxClaims(paths.home(name)),
                    ask=dialogs.ask,
                    audit=audit,
                ),
                accepts=peers.may_use,
                most=most_connections,
                totals=totals,
            )
        )
        await nursery.start(
            partial(
                serve_capabilities,
                host,
                capabilities,
                guest_daemons,
                accepts=peers.may_use,
                most=most_connections,
                totals=totals,
            )
        )
        await nursery.start(serve_control, control, requests.handlers())
        _logger.info("process %d serves the box %s", os.getpid(), name)
        memory.settle()
        ready()
        nursery.start_soon(renew)
        enter_lock = await until_the_end(name, stop=stop, sessions=sessions, watcher=watcher, container=container)
        nursery.cancel_scope.cancel()
    return enter_lock


async def forget_on_signal(added: AddedKeys, *, task_status: trio.TaskStatus[None]) -> None:
    """SIGUSR1 drops the keys that clients added, as OpenSSH's agent does with all of its own.

    A task that waits for the signal would have its turn after requests that are there already. The handler itself runs
    before the request that is read next. It sets a flag, which every request looks at.
    """
    token = trio.lowlevel.current_trio_token()

    def drop_ended() -> None:
        added.drop_ended()
        _logger.info("received SIGUSR1: dropped the keys that clients added")

    def forget(_number: int, _frame: FrameType | None) -> None:
        added.forget()
        token.run_sync_soon(drop_ended)  # for the case that nobody asks

    before = signal.signal(signal.SIGUSR1, forget)
    try:
        task_status.started()
        await trio.sleep_forever()
    finally:
        signal.signal(signal.SIGUSR1, before)


async def _stop_on_signal(stop: trio.Event, scope: trio.CancelScope, *, task_status: trio.TaskStatus[None]) -> None:
    """SIGTERM, SIGINT and SIGHUP stop the box in order; a second one ends the daemon at once."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            _logger.info("received %s", signal.Signals(number).name)
            if stop.is_set():
                scope.cancel()
            stop.set()
