"""A secret in the body of messages, wherever a message is kept.

Staff must find it on no page and in no answer of the API.
"""

from __future__ import annotations

import io

from django.http.response import HttpResponseBase

from engine.antivirus import quarantine
from engine.antivirus.verdict import Verdict, VerdictState
from engine.jobs.models import JobRun
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.mail.envelope import Envelope
from engine.queue.enqueue import local_submission
from engine.queue.models import Recipient, Source
from engine.registry.models import Organisation, Person
from engine.storage import message_actions, withdrawals
from engine.storage.models import FolderRole, WithdrawalKind
from engine.storage.standard_folders import folder, inbox
from engine.storage.withdrawals import Cause
from tests.permissions import route_objects
from tests.permissions.route_objects import RouteObjects

# The second is looked for, so that a page may repeat it; the first stands beside it in
# every body, and nowhere else.
SECRET, SOUGHT = "Zyzzyva", "quockerwodger"
WORDS = f"{SECRET} {SOUGHT}\n"


def letter() -> bytes:
    """A message whose text, HTML, attached text and attached message hold the secret."""
    bob = NamedAddress("Bob", Address.parse("bob@northfield.secure.example"))
    inner = compose(sender=bob, to=[bob], subject="Inner", text=WORDS)
    return compose(
        sender=bob,
        to=[bob],
        subject="Hearing",
        text=WORDS,
        html=f"<p>{WORDS}</p>",
        attachments=[
            Attachment("note.txt", "text/plain", WORDS.encode()),
            Attachment("old.eml", "message/rfc822", inner),
        ],
    )


def create(bob: Person, northfield: Organisation) -> RouteObjects:
    """One object for every route, as route_objects makes them, and the messages."""
    made = route_objects.create(bob, northfield)
    mailbox = bob.mailbox
    address = Address.parse(bob.address)
    reference = local_submission.submit(
        letter(),
        envelope=Envelope.simple(address, address),
        source=Source.WEBMAIL,
        by=bob,
    )
    received = message_actions.append(inbox(mailbox), letter())
    sent = message_actions.append(
        folder(mailbox, FolderRole.SENT), letter(), reference=reference
    )
    removed = message_actions.append(inbox(mailbox), letter())
    withdrawals.take_out([removed.pk], Cause(WithdrawalKind.OPERATOR, by=None))
    with quarantine.copied(io.BytesIO(letter())) as copy:
        infected = quarantine.keep(
            copy,
            reference=reference,
            verdict=Verdict(VerdictState.INFECTED, "Eicar-Test", "clamd"),
            envelope=Envelope.simple(address, address),
            organisation_id=northfield.pk,
        )
    recipient = Recipient.objects.get(message__reference=reference)
    job = JobRun.objects.create(job_id="j1", func="engine.storage.tasks.index_messages")
    of_message = {"message_id": received.pk, "path": "2", "pk": received.pk}
    story = {"reference": reference}
    return RouteObjects(
        made.arguments
        | {
            "mail/messages/": of_message,
            "mail/messages/<int:message_id>/delivery/": {"message_id": sent.pk},
            "mail/withdrawn/": {"copy_id": removed.pk},
            "mail/folders/": {"folder_id": received.folder_id},
            "api/v1/messages/": of_message,
            "api/v1/traces/": story,
            "api/v1/queue/": {"pk": recipient.pk},
            "api/v1/mailboxes/": {"pk": mailbox.pk, "mailbox_id": mailbox.pk},
            "admin/trace/": story,
            "organisation/<int:organisation_id>/trace/": story,
            "admin/quarantine/": {"pk": infected.pk},
            "admin/jobs/": {"pk": job.pk},
        }
    )


def is_in(response: HttpResponseBase) -> bool:
    """Returns whether the response holds the secret."""
    if response.streaming:
        return SECRET.encode() in b"".join(response.streaming_content)
    return SECRET.encode() in response.content
