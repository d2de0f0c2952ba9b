"""One dialog, shown by one zenity process that is started through sh.

Zenity runs in a worker thread that starts it, waits for it and reaps it. That one thread lives exactly as
long as the process does, which is what makes the parent-death signal right: the kernel sends it when the
*thread* that forked ends, so a daemon killed by -9 takes its dialog along, and nothing else does.
"""

import ctypes
import logging
import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import attrs
import sh
import trio

from litterbox import limits
from litterbox.confirm.question import TOO_SOON, Answer, Question, buttons, text, title

TIMEOUT: Final = 60.0  # seconds; a dialog nobody answers is declined
_GRACE: Final = 5.0  # seconds after zenity's own timeout until we end it ourselves
_WIDTH: Final = 680  # pixels, before zenity grows it to fit; zenity 4 stacks the buttons of a narrower one

DECLINE: Final = "Decline"

# An approval that comes sooner after the start of zenity's process was meant for another window: a second, and the
# time from the start to the window, which an idle machine needs (0.15 s) and some more.
MIN_READING_TIME: Final = 1.25  # seconds
_ICON: Final = "--icon-name=dialog-warning"  # zenity 3's name of the option, which zenity 4 takes too

# Zenity lets its environment choose its exit statuses (zenity(1)). So that none means two things: GTK exits 1 where it
# finds no display, and zenity 3 exits 0 when its window is destroyed under it, which is nobody's approval.
_TIMED_OUT, _APPROVED, _CANCELLED, _EXTRA, _FAILED = 5, 9, 10, 12, 13
_STATUSES: Final = {
    "ZENITY_OK": str(_APPROVED),
    "ZENITY_CANCEL": str(_CANCELLED),
    "ZENITY_ESC": str(_CANCELLED),
    "ZENITY_EXTRA": str(_EXTRA),
    "ZENITY_TIMEOUT": str(_TIMED_OUT),
    "ZENITY_ERROR": str(_FAILED),
}

# What a dialog needs of the daemon's own environment; the display comes from the logins.
_INHERITED: Final = (
    "HOME",
    "PATH",
    "USER",
    "XDG_RUNTIME_DIR",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_CURRENT_DESKTOP",
)

_ANY_STATUS: Final = tuple(range(-signal.NSIG, 256))  # sh raises for others; we tell them apart ourselves
_CANNOT_START: Final = 127
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_prctl = ctypes.CDLL(None).prctl

_logger = logging.getLogger(__name__)

# sh logs the argument list of everything it runs, and ours is the box's text.
logging.getLogger("sh").setLevel(logging.CRITICAL + 1)


async def show(
    question: Question,
    *,
    displays: Sequence[Mapping[str, str]],
    within: float = TIMEOUT,
    min_reading_time: float = MIN_READING_TIME,
    program: str = "zenity",
) -> Answer:
    """Ask on the first of `displays` (small environments: DISPLAY, WAYLAND_DISPLAY …) that shows a window.

    Returns NOT_SHOWN where none can, or zenity is not installed; the log says why. The user has `within` seconds. An
    approval that comes before `min_reading_time` seconds is not taken, and the question is shown again, since the key
    or the click was meant for something else. When cancelled, the window is gone and its process reaped before this
    returns.
    """
    path = shutil.which(program)
    if path is None:
        _logger.warning("%s: no dialog: %s is not installed", question.who, program)
        return Answer.NOT_SHOWN
    if not displays:
        _logger.warning("%s: no dialog: no login of this box has a display", question.who)
    deadline = trio.current_time() + within
    for display in displays:
        note = ""
        options = [_ICON] if question.warning else []
        while True:
            began = trio.current_time()
            arguments = [*_arguments(question, deadline - began, note), *options]
            end = _End(_TIMED_OUT, "", "")
            with trio.move_on_at(deadline + _GRACE):
                end = await _run(path, arguments, _environment(display))
            answer = _answer(end, question)
            if answer is Answer.NOT_SHOWN and options and "icon-name" in end.stderr:
                options = []  # a zenity that no longer knows the option; the text has a warning sign too
            elif answer.approved and trio.current_time() - began < min_reading_time:
                note = TOO_SOON
            else:
                break
        if answer is not Answer.NOT_SHOWN:
            return answer
        _logger.warning("%s: no dialog on %s: %s", question.who, _name(display), end.reason)
    return Answer.NOT_SHOWN


def is_installed(program: str = "zenity") -> bool:
    """Return whether zenity is on the daemon's PATH."""
    return shutil.which(program) is not None


@attrs.frozen
class _End:
    """How a zenity process ended: its exit status, or minus the signal's number, and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        lines = self.stderr.strip().splitlines()
        return lines[-1].strip()[:300] if lines else f"zenity ended with status {self.status}"


def _answer(end: _End, question: Question) -> Answer:
    """Approval is its button's status, or exactly the extra button's label; what is not understood is NOT_SHOWN."""
    if end.status == _APPROVED:
        return Answer.APPROVED_SESSION if question.once else Answer.APPROVED_ONCE
    # Zenity 3 leaves with the status of Escape after its extra button; the label is what counts.
    lasting = buttons(question).approve_lasting
    if end.status in (_EXTRA, _CANCELLED) and lasting is not None and end.stdout == f"{_label(lasting)}\n":
        return Answer.APPROVED_SESSION
    if end.status == _CANCELLED:
        return Answer.DECLINED
    return Answer.TIMED_OUT if end.status == _TIMED_OUT else Answer.NOT_SHOWN


def _arguments(question: Question, within: float, note: str) -> list[str]:
    # The lines are short enough already. Where GTK broke one at a space, it would go on at the margin.
    unbreakable = text(question, note).replace(" ", "\N{NO-BREAK SPACE}")
    labels = buttons(question)
    arguments = [
        "--question",
        "--no-markup",
        "--default-cancel",
        f"--title={title(question)}",
        f"--text={unbreakable}",
        f"--width={_WIDTH}",
        f"--timeout={max(1, round(within))}",
        f"--ok-label={_label(labels.approve)}",
        f"--cancel-label={DECLINE}",
    ]
    if labels.approve_lasting is not None:
        arguments.append(f"--extra-button={_label(labels.approve_lasting)}")
    return arguments


def _label(words: str) -> str:
    """Return a button's label as GTK takes it: it reads a single underscore as the mark of a shortcut."""
    return words.replace("_", "__")


def _environment(display: Mapping[str, str]) -> dict[str, str]:
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # A dialog needs no GPU, and loading a driver for it takes longer than the dialog.
    environment |= {"LC_ALL": "C.UTF-8", "GSK_RENDERER": "cairo", **display, **_STATUSES}
    if "WAYLAND_DISPLAY" not in display:
        environment["GDK_BACKEND"] = "x11"  # else GTK would look for a Wayland desktop that this login is not on
    if "DBUS_SESSION_BUS_ADDRESS" not in display:
        # Without an address GTK would start a bus daemon of its own, for good, to offer accessibility on it.
        environment |= {"DBUS_SESSION_BUS_ADDRESS": "disabled:", "NO_AT_BRIDGE": "1", "GTK_A11Y": "none"}
    return environment


def _name(display: Mapping[str, str]) -> str:
    return display.get("WAYLAND_DISPLAY") or display.get("DISPLAY") or "an unnamed display"


class _Process:
    """One zenity, shared by the thread that starts, waits for and reaps it and the task that may end it."""

    def __init__(self, path: str, arguments: list[str], environment: dict[str, str]) -> None:
        self._path = path
        self._arguments = arguments
        self._environment = environment
        self._lock = threading.Lock()
        self._pidfd: int | None = None
        self._unwanted = False

    def run(self) -> _End:
        """Start zenity; return when it has ended and is reaped. For a thread of its own."""
        if self._unwanted:
            return _End(-signal.SIGKILL, "", "")
        try:
            running = self._start()
        except (OSError, sh.ForkException, sh.CommandNotFound) as error:
            return _End(_CANNOT_START, "", f"{self._path} cannot be started: {error}")
        try:
            self._started(running.pid)
        except OSError:  # no descriptor is left to end it by later
            running.kill()
        running.wait()
        self._ended()
        return _End(running.exit_code, _decoded(running.stdout), _decoded(running.stderr))

    def end(self) -> None:
        """Have it gone, started or not. For any thread, at any time."""
        with self._lock:
            self._unwanted = True
            if self._pidfd is not None:
                _kill(self._pidfd)

    def _start(self) -> sh.RunningCommand:
        return sh.Command(self._path)(
            *self._arguments,
            _bg=True,
            _bg_exc=False,
            _ok_code=_ANY_STATUS,
            _new_session=True,
            _tty_out=False,
            _env=self._environment,
            _preexec_fn=_die_with(os.getpid()),
        )

    def _started(self, pid: int) -> None:
        with self._lock, suppress(ProcessLookupError):  # it may have ended, and sh have reaped it
            self._pidfd = os.pidfd_open(pid)
            if self._unwanted:
                _kill(self._pidfd)

    def _ended(self) -> None:
        with self._lock:
            if self._pidfd is not None:
                os.close(self._pidfd)
                self._pidfd = None


async def _run(path: str, arguments: list[str], environment: dict[str, str]) -> _End:
    process = _Process(path, arguments, environment)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_when_cancelled, process)
        # Not abandoned: a cancellation is the other task's to act on, and this one then sees the process
        # reaped. A limiter of its own: a dialog never waits for threads that others keep busy.
        end = await trio.to_thread.run_sync(process.run, limiter=trio.CapacityLimiter(1))
        nursery.cancel_scope.cancel()
    return end


async def _end_when_cancelled(process: _Process) -> None:
    try:
        await trio.sleep_forever()
    finally:
        process.end()


def _kill(pidfd: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does before exec: it asks to be killed when the thread that forked it ends."""

    def before_exec() -> None:
        limits.restore()
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:
            os._exit(_CANNOT_START)

    return before_exec


def _decoded(output: bytes) -> str:
    return output.decode("utf-8", "replace")
