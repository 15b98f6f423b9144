"""Takes a message into the sandbox, and enqueues the webhook calls that it causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import transaction

from api.models import SandboxCopy, SandboxMessage, WebhookCall
from api.sandbox import outcomes
from api.sandbox.outcomes import Outcome
from api.v1.messages.sending import Letter, Sent
from api.webhooks import enqueue, notifications
from api.webhooks.notifications import Notification
from engine.database import clock
from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.composer import new_message_id
from engine.mail.errors import MailError, PermanentFailure
from engine.queue.enqueue.accepted_message import new_reference
from engine.registry.models import ApiKey, Mailbox, WebhookEndpoint, WebhookEvent
from engine.routing import policies, routes
from engine.storage.standard_folders import ensure_folders
from engine.trace.models import EventKind

# Stands before the header of each.
MARK = b"X-Postern-Test: this message was sent with a test key\r\n"
# Octets of one, and how many an organisation has: it is a place to try things.
LARGEST = 5 * 1024 * 1024
KEPT = 1000


def send(
    letter: Letter,
    *,
    sender: Mailbox,
    once: str,
    keep: Callable[[Sent], None],
    by: ApiKey,
) -> Sent:
    """Does what `api.v1.messages.sending.send` does, in the sandbox.

    Nothing is queued, scanned or stored in a mailbox. Raises MailError with the sentence
    to show, as for a live message. `once` needs nothing here: the claim on the
    Idempotency-Key and the message are one transaction.
    """
    address = letter.sender or Address.parse(sender.address)
    recipients = letter.recipients.envelope(address).addresses
    reference = new_reference()
    try:
        found = _outcomes(sender, address, recipients)
        raw = MARK + letter.written(sender, new_message_id(address.domain))
        if len(raw) > LARGEST:
            raise PermanentFailure(smtp_replies.TOO_BIG)
    except MailError as error:
        _report_refusal(reference, sender, address, recipients, str(error.reply))
        raise
    with transaction.atomic():
        message = SandboxMessage.objects.create(
            organisation_id=sender.organisation_id,
            reference=reference,
            sender=str(address),
            outcomes=found,
            raw=raw,
        )
        copy = SandboxCopy.objects.create(message=message, mailbox=sender, is_sent=True)
        received = _deliver(message)
        ensure_folders({sender.pk, *(one.mailbox_id for one in received)})
        _enqueue(sender, _notifications(message, received))
        _forget_oldest(sender)
        sent = Sent(reference, copy.pk)
        keep(sent)
    return sent


def _outcomes(
    sender: Mailbox, address: Address, recipients: tuple[Address, ...]
) -> dict[str, Outcome]:
    own = Address.parse(sender.address)
    for known in routes.tries():
        try:
            policies.check_is_of_mailbox(
                known, mailbox_id=sender.pk, own=own, address=address
            )
            policies.check_key_can_send_as(
                known, sender.organisation_id, address=address
            )
            found = (
                outcomes.of_recipient(known, one, sender=address) for one in recipients
            )
            return dict(found)
        except PermanentFailure as error:
            refusal = error
    raise refusal


def _deliver(message: SandboxMessage) -> list[SandboxCopy]:
    """Adds the copies of the organisation's own mailboxes that it is delivered to."""
    delivered = [a for a, how in message.outcomes.items() if how == Outcome.DELIVERED]
    own = Mailbox.objects.filter(
        organisation=message.organisation_id, address__in=delivered, is_active=True
    )
    return [
        SandboxCopy.objects.create(message=message, mailbox=mailbox, is_sent=False)
        for mailbox in own.order_by("pk")
    ]


def _notifications(
    message: SandboxMessage, received: list[SandboxCopy]
) -> Iterator[Notification]:
    owner = message.organisation_id
    for number, event in enumerate(outcomes.events(message)):
        if event.kind == EventKind.RECEIVED:
            continue
        name = notifications.OUTCOMES[EventKind(event.kind)]
        data = {"reference": message.reference, "recipient": event.recipient}
        if "reply" in event.detail:
            data["reply"] = event.detail["reply"]
        source = f"sandbox:{message.pk}:{number}:{name}"
        yield Notification(source, name, event.at, owner, data)
    for copy in received:
        name = WebhookEvent.MESSAGE_RECEIVED
        data = notifications.received_data(
            message.reference, copy.mailbox.address, copy.mailbox_id, copy.pk
        )
        yield Notification(
            f"sandbox:{copy.pk}:{name}", name, message.created_at, owner, data
        )


def _report_refusal(
    reference: str,
    sender: Mailbox,
    address: Address,
    recipients: tuple[Address, ...],
    reply: str,
) -> None:
    name, at = WebhookEvent.MESSAGE_REFUSED, clock.now()
    found = []
    for number, recipient in enumerate(recipients):
        data = {
            "reference": reference,
            "sender": str(address),
            "recipient": str(recipient),
            "reply": reply,
        }
        source = f"sandbox:{reference}:{name}:{number}"
        found.append(Notification(source, name, at, sender.organisation_id, data))
    _enqueue(sender, found)


def _enqueue(
    sender: Mailbox, found: Iterator[Notification] | list[Notification]
) -> None:
    """Enqueues the calls to the organisation's test endpoints, due when they happen."""
    endpoints = WebhookEndpoint.objects.filter(
        organisation=sender.organisation_id, is_active=True, is_test=True
    )
    subscribed = list(endpoints)
    calls = [
        enqueue.call(endpoint, one, one.at)
        for one in found
        for endpoint in subscribed
        if one.event in endpoint.events
    ]
    WebhookCall.objects.bulk_create(calls, ignore_conflicts=True)


def _forget_oldest(sender: Mailbox) -> None:
    rows = SandboxMessage.objects.filter(organisation=sender.organisation_id)
    beyond = rows.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if beyond is not None:
        rows.filter(pk__lte=beyond).defer("raw").delete()
