"""What the box asks of its host socket after the hello, decided, written down and carried out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs

from litterbox.capabilities.notify import NotificationError, Notifier
from litterbox.capabilities.policy import Policy
from litterbox.confirm.question import Answer, Question
from litterbox_guest import messages
from litterbox_guest.messages import GuestMessage, Notify, Ping

Send = Callable[[dict[str, object]], Awaitable[None]]

_CAPABILITY_OF: Final[Mapping[type, str]] = {Notify: "notify"}
_DECLINED: Final = {
    Answer.REFUSED: "the settings of the box do not allow it",
    Answer.TIMED_OUT: "nobody answered",
    Answer.NOT_SHOWN: "no login of the box has a display to ask on",
    Answer.PAUSED: "the user has declined several times; try again later",
    Answer.CROWDED: "too many questions wait for the user",
}


@attrs.frozen(kw_only=True)
class Requests:
    """The requests of all connections of one box."""

    policy: Policy
    notifier: Notifier

    async def answer(self, message: GuestMessage, accepted: frozenset[str], *, peer: int, send: Send) -> None:
        """Answer one message of a connection on which `accepted` capabilities were granted. `peer` is its process."""
        capability = _CAPABILITY_OF.get(type(message))
        if capability is not None and capability not in accepted:
            reason = f"the settings of the box do not allow it ({capability} was not granted on this connection)"
            self.policy.record(capability, {"reason": reason, "peer": peer}, Answer.REFUSED)
            await send(messages.error(reason))
            return
        match message:
            case Ping():
                await send(messages.ack())
            case Notify():
                await self._notify(message, peer, send)

    async def _notify(self, notice: Notify, peer: int, send: Send) -> None:
        question = Question(
            box=self.policy.box,
            asks="to show a notification",
            fields=(("Summary", notice.summary), ("Body", notice.body)),
            request=repr(notice).encode(errors="surrogatepass"),
        )
        answer = await self.policy.decide("notify", question)
        recorded = self.policy.record("notify", {"purpose": notice.summary, "peer": peer}, answer)
        if not (recorded and answer.approved):
            await send(messages.error(f"the notification was declined: {_DECLINED.get(answer, 'the user said no')}"))
            return
        told: list[int] = []

        async def tell(number: int) -> None:
            told.append(number)
            await send(messages.ack(id=number))

        try:
            action = await self.notifier.notify(notice, tell)
        except NotificationError as error:
            await send(messages.error(error.sentence))
            return
        if notice.waits:
            await send(messages.notify_action_result(notification=told[0], action=action))
