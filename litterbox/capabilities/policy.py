"""Which capabilities the box's settings grant, and who decides about a request: the settings, or a person."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs

from litterbox.audit import AuditError, AuditLog
from litterbox.confirm.question import Answer, Question
from litterbox.errors import SettingsError
from litterbox.settings import box_settings
from litterbox.settings.box_settings import Grant, Settings
from litterbox_guest.interceptors import OF_CAPABILITY

NAMES: Final = tuple(OF_CAPABILITY)

_NOTHING: Final = Settings(notify=False, xdg_open=False, clipboard=False, host_exec=False)
_REASONS: Final = {
    Answer.REFUSED: "the settings of the box do not allow it",
    Answer.TIMED_OUT: "nobody answered",
    Answer.NOT_SHOWN: "no login of the box has a display to ask on",
    Answer.PAUSED: "the user has declined several times; try again later",
    Answer.CROWDED: "too many questions wait for the user",
}
_UNAUDITED: Final = "it cannot be written to the audit log"

_logger = logging.getLogger(__name__)

Detail = Mapping[str, str | int]


@attrs.frozen(kw_only=True)
class Policy:
    """The policy of one box; `ask` shows a question and returns how it ended."""

    box: str
    ask: Callable[[Question], Awaitable[Answer]]
    audit: AuditLog

    def settings(self) -> Settings:
        """The settings as they are now; where they cannot be read, such as grant nothing."""
        try:
            return box_settings.load(self.box)
        except SettingsError as error:
            _logger.warning("%s: no capability is granted: %s", self.box, error.sentence)
            return _NOTHING

    def grants(self) -> dict[str, Grant]:
        """What the settings say now, by capability."""
        chosen = self.settings()
        return {name: getattr(chosen, name) for name in NAMES}

    def links(self) -> list[str]:
        """The host commands that go by their own names in the box."""
        return [name for name, command in self.settings().commands.items() if command.link]

    async def permit(self, capability: str, question: Callable[[], Question], detail: Detail) -> str | None:
        """Decide about a request and write that down; None where it may be carried out, else why not.

        Makes its `question`, and asks that, where the settings say so; they may have changed since the connection's
        hello.
        """
        grant = self.grants()[capability]
        if grant == "confirm":
            answer = await self._ask(capability, question(), detail)
            if not self.grants()[capability]:  # taken back while the window was open
                answer = Answer.REFUSED
        else:
            answer = Answer.ALLOWED if grant else Answer.REFUSED
        if answer.approved:
            return None if self._record(capability, detail, "approved", answer.decided_by) else _UNAUDITED
        if answer is not Answer.WITHDRAWN:
            self._record(capability, detail, _refusal(answer), answer.decided_by)
        return _REASONS.get(answer, "the user said no")

    async def _ask(self, capability: str, question: Question, detail: Detail) -> Answer:
        """Ask; a question that its client withdraws is written down too."""
        answer = Answer.WITHDRAWN
        try:
            answer = await self.ask(question)
        finally:
            if answer is Answer.WITHDRAWN:
                self._record(capability, detail, _refusal(answer), answer.decided_by)
        return answer

    def refuse(self, capability: str, detail: Detail, reason: str) -> None:
        """Write down that a request was refused without asking anybody."""
        self._record(capability, {**detail, "reason": reason}, _refusal(Answer.REFUSED), Answer.REFUSED.decided_by)

    def tell_failure(self, capability: str, detail: Detail, reason: str) -> None:
        """Write down that a request was approved, and could not be carried out."""
        self._record(capability, {**detail, "reason": reason}, "failed", "host")

    def tell_end(self, capability: str, detail: Detail) -> None:
        """Write down how a request that takes its time has ended."""
        self._record(capability, detail, "ended", "host")

    def _record(self, what: str, detail: Detail, decision: str, by: str) -> bool:
        try:
            self.audit.record(what=what, detail=detail, decision=decision, by=by)
        except AuditError as error:
            _logger.warning("%s: %s refused: %s", self.box, what, error.sentence)
            return False
        return True


def _refusal(answer: Answer) -> str:
    return "refused" if answer is Answer.REFUSED else "declined"
