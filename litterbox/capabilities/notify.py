"""`notify`: notifications of the box, decided, written down and shown."""

from typing import Final

import attrs
import trio

from litterbox.capabilities.client import Client
from litterbox.capabilities.notification_service import NotificationError, Notifier
from litterbox.capabilities.policy import Detail, Policy
from litterbox.capabilities.rate import Rate
from litterbox.capabilities.replies import Ack, NotifyActionResult
from litterbox.confirm.question import Kind, Question
from litterbox.confirm.said import Said, logged
from litterbox.limits import MAX_NOTIFICATIONS
from litterbox_guest.messages import Notify

CAPABILITY = "notify"
BURST: Final = 20  # notifications of a box at once
BURST_INTERVAL: Final = 2.0  # seconds until it may show one more after a burst


@attrs.frozen(kw_only=True)
class Notifications:
    """Answers `notify` of one box: a bounded number in a time, and a bounded number that is being shown or waited for.

    Each of the latter has a connection to the desktop's bus and keeps it until it is shown, or closed where its client
    waits for that.
    """

    policy: Policy
    notifier: Notifier
    _rate: Rate = attrs.field(factory=lambda: Rate(BURST, BURST_INTERVAL), init=False)
    _places: trio.Semaphore = attrs.field(factory=lambda: trio.Semaphore(MAX_NOTIFICATIONS), init=False)

    async def answer(self, notice: Notify, client: Client) -> None:
        detail: Detail = {"purpose": logged((Said(notice.summary),)), "peer": client.peer}
        if not self._rate.take():
            every = f"one in {BURST_INTERVAL:g} seconds after {BURST} at once"
            reason = f"the box shows too many notifications: it may show {every}"
            self.policy.refuse(CAPABILITY, detail, reason)
            await client.refuse(reason)
            return
        refusal = await self.policy.permit(CAPABILITY, lambda: _question(self.policy.box, notice), detail)
        if refusal:
            await client.refuse(f"the notification was declined: {refusal}")
            return
        try:
            self._places.acquire_nowait()
        except trio.WouldBlock:
            reason = f"{MAX_NOTIFICATIONS} notifications of the box are open already, and their clients wait for them"
            self.policy.tell_failure(CAPABILITY, detail, reason)
            await client.refuse(reason)
            return
        try:
            await self._show(notice, detail, client)
        finally:
            self._places.release()

    async def _show(self, notice: Notify, detail: Detail, client: Client) -> None:
        told: list[int] = []

        async def tell(number: int) -> None:
            told.append(number)
            await client.send(Ack(id=number))

        try:
            action = await self.notifier.notify(notice, tell)
        except NotificationError as error:
            self.policy.tell_failure(CAPABILITY, detail, error.sentence)
            await client.refuse(error.sentence)
            return
        if notice.waits:
            await client.send(NotifyActionResult(id=told[0], action=action))


def _question(box: str, notice: Notify) -> Question:
    return Question(
        box=box,
        action="show a notification",
        fields=(("Summary", (Said(notice.summary),)), ("Body", (Said(notice.body),))),
        request=repr(notice).encode(errors="surrogatepass"),
        kind=Kind.NOTIFY,
    )
