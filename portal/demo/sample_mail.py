"""The sample mail in the demo community's mailboxes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.mail.message import split
from engine.registry.models import Mailbox, Person
from engine.storage import content, message_actions
from engine.storage.mailbox_delivery import Delivery, deliver, summary_of
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder

LISTING = b"""Court,Case,Defendant initials,Time,Estimate\r
1,T20260231,K.R.,10:00,Plea and trial preparation\r
1,T20260244,M.A.,10:30,Sentence\r
2,T20260198,J.O.,10:00,"Trial, day 2 of 4"\r
3,T20260256,S.W.,14:00,Bail application\r
"""


@dataclass(frozen=True)
class SampleMessage:
    """A sample message. Addresses are community addresses without the suffix.

    `answers` is the `key` of the message that it replies to.
    """

    hours_ago: float
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    is_read: bool = True
    is_flagged: bool = False
    files: tuple[Attachment, ...] = ()
    key: str = ""
    answers: str = ""


SAMPLE_MESSAGES = (
    SampleMessage(
        74,
        "hugh@",
        ("alice@northgate.", "grace@harbour."),
        "Welcome to secure mail",
        "Hello,\n\nyour organisation is connected. What you send from this mailbox goes"
        " only to members of the community, over an encrypted connection, and is"
        " scanned on its way.\n\nIf anything is unclear, write to the helpdesk.\n\n"
        "Hugh Bell\nHelpdesk\n",
    ),
    SampleMessage(
        51.5,
        "jane@marlowfinch.example.",
        ("listing@northgate.",),
        "R v K.R. (T20260231): counsel's availability",
        "Dear listing office,\n\ncounsel is not available before 10:00 on the day of the"
        " plea hearing. May the case be listed not before 10:00?\n\nKind regards,\n"
        "Jane Finch\nMarlow Finch Solicitors\n",
        key="counsel",
    ),
    SampleMessage(
        49,
        "ben@northgate.",
        ("jane@marlowfinch.example.",),
        "Re: R v K.R. (T20260231): counsel's availability",
        "Dear Ms Finch,\n\nthe case is listed at 10:00 in court 1.\n\nBen Okafor\n"
        "Listing office, Northgate Crown Court\n",
        answers="counsel",
    ),
    SampleMessage(
        26,
        "ben@northgate.",
        ("alice@northgate.", "priya@northgate.", "grace@harbour."),
        "Draft list for tomorrow",
        "All,\n\nthe draft list is attached. Please tell me of any clash by 15:00.\n\n"
        "Ben\n",
        is_flagged=True,
        files=(Attachment("draft-list.csv", "text/csv", LISTING),),
        key="list",
    ),
    SampleMessage(
        23.25,
        "grace@harbour.",
        ("ben@northgate.",),
        "Re: Draft list for tomorrow",
        "Dear Ben,\n\nMr Osei is part-heard in court 2 and cannot take the sentence in"
        " court 1 at 10:30. Could it be moved to after 14:00?\n\nGrace Lindqvist\n"
        "Senior clerk, Harbour Chambers\n",
        is_read=False,
        answers="list",
    ),
    SampleMessage(
        22.5,
        "priya@northgate.",
        ("ben@northgate.", "alice@northgate."),
        "Re: Draft list for tomorrow",
        "Ben,\n\nno clash on my side.\n\nPriya\n",
        answers="list",
    ),
    SampleMessage(
        21.75,
        "alice@northgate.",
        ("ben@northgate.", "priya@northgate."),
        "Re: Draft list for tomorrow",
        "Ben,\n\nplease move the sentence to 14:30, and confirm to Ms Lindqvist.\n\n"
        "Alice\n",
        is_read=False,
        answers="list",
    ),
    SampleMessage(
        20,
        "ruth@fenland.police.example",
        ("david@harbour.", "grace@harbour."),
        "R v J.O. (T20260198): disclosure schedule",
        "Dear Mr Osei,\n\nthe amended schedule of unused material is served with this"
        " message. Items 14 to 17 are available for inspection at the station.\n\n"
        "Ruth Cole\nDisclosure officer, Fenland Police\n",
        is_read=False,
    ),
    SampleMessage(
        5,
        "helen@eastvale.example.",
        ("priya@northgate.", "listing@northgate."),
        "Youth court: attendance of a support worker",
        "Good morning,\n\nOmar Aziz will attend with the young person on Thursday. Could"
        " you tell us at which entrance he should ask?\n\nHelen Shaw\nEastvale Council\n",
        is_read=False,
    ),
    SampleMessage(
        1.5,
        "david@harbour.",
        ("alice@northgate.",),
        "Video link for Thursday",
        "Dear Ms Marsh,\n\nmay I attend Thursday's mention by video link? I am in the"
        " county court until 13:00.\n\nDavid Osei\n",
        is_read=False,
    ),
)


def write() -> None:
    """Delivers every sample message into the hosted mailboxes, oldest first."""
    for message in SAMPLE_MESSAGES:
        _write(message)


def _write(message: SampleMessage) -> None:
    sent_at = timezone.now() - dt.timedelta(hours=message.hours_ago)
    raw = compose(
        sender=_named(message.sender),
        to=[_named(to) for to in message.to],
        subject=message.subject,
        text=message.text,
        attachments=message.files,
        date=sent_at,
        message_id=_message_id(message.key) if message.key else None,
        in_reply_to=_message_id(message.answers) if message.answers else "",
        references=_message_id(message.answers) if message.answers else "",
    )
    kept = content.keep(*split(raw))
    row = content.row(kept)
    row.save(force_insert=True)
    boxes = Mailbox.objects.filter(address__in=[_address(to) for to in message.to])
    sender, summary = _address(message.sender), summary_of(kept.header)
    deliver(
        [
            Delivery(
                box.pk,
                row.pk,
                row.size,
                sender,
                summary,
                kept.header,
                kept.has_attachments,
                kept.key,
            )
            for box in boxes
        ]
    )
    received = Message.objects.filter(content=row)
    received.update(
        received_at=sent_at, is_read=message.is_read, is_flagged=message.is_flagged
    )
    own = Mailbox.objects.filter(address=sender).first()
    if own is not None:
        copy = message_actions.append(folder(own, FolderRole.SENT), raw)
        Message.objects.filter(pk=copy.pk).update(received_at=sent_at)


def _message_id(key: str) -> str:
    return f"<{key}@{settings.POSTERN.community_domain}>"


def _named(shortened: str) -> NamedAddress:
    address = _address(shortened)
    holder = Person.objects.filter(address=address).first()
    name = holder.name if holder else Mailbox.objects.get(address=address).name
    return NamedAddress(name, Address.parse(address))


def _address(shortened: str) -> str:
    """Appends the suffix to `jane@marlowfinch.example.` and `hugh@`; others are complete."""
    if shortened.endswith((".", "@")):
        return f"{shortened}{settings.POSTERN.community_domain}"
    return shortened
