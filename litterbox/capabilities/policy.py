"""Which capabilities the box's settings grant, and who decides about a request: the settings, or a person."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs

from litterbox.audit import AuditError, AuditLog
from litterbox.confirm.question import Answer, Question
from litterbox.container import settings
from litterbox.container.settings import Grant
from litterbox.errors import SettingsError

NAMES: Final = ("notify",)

_logger = logging.getLogger(__name__)

Detail = Mapping[str, str | int]


@attrs.frozen(kw_only=True)
class Policy:
    """The policy of one box; `ask` shows a question and returns how it ended."""

    box: str
    ask: Callable[[Question], Awaitable[Answer]]
    audit: AuditLog

    def grants(self) -> dict[str, Grant]:
        """What the settings say now, by capability; nothing is granted where they cannot be read."""
        try:
            chosen = settings.load(self.box)
        except SettingsError as error:
            _logger.warning("%s: no capability is granted: %s", self.box, error.sentence)
            return dict.fromkeys(NAMES, False)
        return {name: getattr(chosen, name) for name in NAMES}

    async def decide(self, capability: str, question: Question) -> Answer:
        """Ask where the settings say so; they may have changed since the connection's hello."""
        grant = self.grants()[capability]
        if grant == "confirm":
            return await self.ask(question)
        return Answer.ALLOWED if grant else Answer.REFUSED

    def record(self, what: str, detail: Detail, answer: Answer) -> bool:
        """Write the decision down; False where it cannot be, and the request must be refused."""
        refusal = "refused" if answer is Answer.REFUSED else "declined"
        decision = "approved" if answer.approved else refusal
        try:
            self.audit.record(what=what, detail=detail, decision=decision, by=answer.decided_by)
        except AuditError as error:
            _logger.warning("%s: %s refused: %s", self.box, what, error.sentence)
            return False
        return True
