"""`notify`: notifications of the box, decided, written down and shown."""

import attrs

from litterbox.capabilities import answers
from litterbox.capabilities.client import Client
from litterbox.capabilities.notification_service import NotificationError, Notifier
from litterbox.capabilities.policy import Detail, Policy
from litterbox.confirm.question import Question
from litterbox.confirm.said import Said, logged
from litterbox_guest.messages import Notify

CAPABILITY = "notify"


@attrs.frozen(kw_only=True)
class Notifications:
    """Answers `notify` of one box."""

    policy: Policy
    notifier: Notifier

    async def answer(self, notice: Notify, client: Client) -> None:
        detail: Detail = {"purpose": logged((Said(notice.summary),)), "peer": client.peer}
        refusal = await self.policy.permit(CAPABILITY, lambda: _question(self.policy.box, notice), detail)
        if refusal:
            await client.refuse(f"the notification was declined: {refusal}")
            return
        told: list[int] = []

        async def tell(number: int) -> None:
            told.append(number)
            await client.answer(answers.ack(id=number))

        try:
            action = await self.notifier.notify(notice, tell)
        except NotificationError as error:
            self.policy.tell_failure(CAPABILITY, detail, error.sentence)
            await client.refuse(error.sentence)
            return
        if notice.waits:
            await client.answer(answers.notify_action_result(notification=told[0], action=action))


def _question(box: str, notice: Notify) -> Question:
    return Question(
        box=box,
        asks="to show a notification",
        fields=(("Summary", (Said(notice.summary),)), ("Body", (Said(notice.body),))),
        request=repr(notice).encode(errors="surrogatepass"),
    )
