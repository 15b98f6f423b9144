"""The check before sending, as the compose page shows it: findings, and ways to mend them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.preflight import checks, conversation
from engine.queue.preflight.checks import Question
from engine.queue.preflight.findings import Code, Finding
from engine.queue.preflight.recipients import CheckedRecipient, check_recipients
from engine.registry.models import Person
from portal.webmail import recipient_input
from portal.webmail.access import MailboxAccess
from portal.webmail.compose.compose_request import ComposeRequest
from portal.webmail.drafts.draft import RECIPIENT_FIELDS, Draft
from portal.webmail.models import Contact
from portal.webmail.organising import collision

# Recipients that are checked while the message is written.
LIMIT = recipient_input.LIMIT

# Where the page mends what no button can.
FIELDS = {
    Code.NO_SUBJECT: ("id_subject", "Write a subject"),
    Code.NO_ATTACHMENT: ("id_attachments", "Add a file"),
    Code.LARGE_MESSAGE: ("attachments", "Change the attachments"),
    Code.TOO_LARGE: ("attachments", "Change the attachments"),
    Code.MANY_RECIPIENTS: ("id_to", "Change the recipients"),
}

# What buttons post in `do`, before the addresses that they are about.
DROP, SWAP, HIDE = "drop-", "swap-", "hide"


@dataclass(frozen=True, slots=True)
class Mend:
    """A way to mend a finding: a button that posts `do`, or a link to a field."""

    label: str
    do: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """A finding with the ways to mend it."""

    finding: Finding
    mends: Sequence[Mend]


def recipients_of(
    draft: Draft, *, viewer: Person, sender: Address, access: MailboxAccess
) -> list[CheckedRecipient]:
    """Returns the draft's recipients, at most LIMIT, in the order of its fields."""
    named = [
        (field, one)
        for field in RECIPIENT_FIELDS
        for one in recipient_input.parse_recipients(getattr(draft, field)).recipients
    ][:LIMIT]
    return check_recipients(
        named,
        viewer=viewer,
        sender=sender,
        conversation=conversation.of_answered(draft.in_reply_to, access.mailbox),
    )


def warnings_for(
    compose_request: ComposeRequest,
    edited: Draft,
    *,
    confirmed: Sequence[str] = (),
) -> list[Warned]:
    """Returns what to confirm before sending.

    Nothing where each finding is among the `confirmed` keys; otherwise all of them.
    """
    question = _question(compose_request, edited)
    found = [one for one in checks.check(question) if not one.blocks]
    found += _others_answering(compose_request, edited)
    if all(one.key in confirmed for one in found):
        return []
    return [Warned(one, _mends(one)) for one in found]


def mended(draft: Draft, do: str) -> Draft:
    """Returns the draft with its recipients changed as a button asked."""
    if do == HIDE:
        everyone = (draft.bcc, draft.to, draft.cc)
        joined = ", ".join(filter(None, (one.strip(" ,;") for one in everyone)))
        return replace(draft, to="", cc="", bcc=joined)
    name, _, rest = do.partition("-")
    old, _, new = rest.partition(" ")
    if name == DROP[:-1]:
        return _with_recipients(draft, rest, None)
    if name == SWAP[:-1] and new:
        return _with_recipients(draft, old, new)
    return draft


def is_mend(do: str) -> bool:
    """True for what the buttons beside findings post."""
    return do == HIDE or do.startswith((DROP, SWAP))


def _question(compose_request: ComposeRequest, edited: Draft) -> Question:
    typed = {
        field: recipient_input.parse_recipients(getattr(edited, field)).recipients
        for field in RECIPIENT_FIELDS
    }
    recipients = Recipients(**typed)
    person = compose_request.mailboxes.person
    sender = compose_request.form.sender_mailbox
    readable = {one.mailbox.pk for one in compose_request.mailboxes.readable}
    keys = {one.address.key for one in recipients.all}
    contacts = Contact.objects.filter(person=person, key__in=keys)
    return Question(
        mailbox=sender,
        sender=compose_request.form.sender_address,
        viewer=person,
        recipients=recipients,
        subject=edited.subject,
        text=edited.text,
        in_reply_to=edited.in_reply_to,
        # Opened to be read, unlike the sender's, which may be another.
        answered_in=compose_request.access.mailbox,
        reads_mailbox=sender.pk in readable,
        file_sizes=compose_request.file_sizes,
        has_links=bool(compose_request.linked),
        familiar=frozenset(contacts.values_list("key", flat=True)),
        asks_about_new=compose_request.preferences.asks_about_new,
    )


def _others_answering(compose_request: ComposeRequest, edited: Draft) -> list[Finding]:
    """Returns what other members of a group mailbox do about the same message."""
    person = compose_request.mailboxes.person
    advice = "Agree who will reply."
    return [
        Finding(Code.OTHERS_ANSWERING, sentence, advice)
        for sentence in collision.begin(
            compose_request.access, edited.in_reply_to, by=person
        )
    ]


def _mends(finding: Finding) -> list[Mend]:
    if finding.code in FIELDS:
        field, label = FIELDS[finding.code]
        return [Mend(label, field=field)]
    if finding.code is Code.MANY_VISIBLE:
        return [Mend("Move everybody to Bcc", do=HIDE)]
    if finding.address is None:
        return []
    address = str(finding.address)
    others = [
        Mend(
            f"Write to the one at {place} instead ({other})",
            do=f"{SWAP}{address} {other}",
        )
        for place, other in finding.others
    ]
    return [*others, Mend(f"Remove {finding.name or address}", do=f"{DROP}{address}")]


def _with_recipients(draft: Draft, old: str, new: str | None) -> Draft:
    """Returns the draft with one address replaced, or left out where `new` is None."""
    changed: dict[str, Any] = {}
    for field in RECIPIENT_FIELDS:
        read = recipient_input.parse_recipients(getattr(draft, field))
        if read.errors:
            continue
        kept: list[NamedAddress] = []
        for one in read.recipients:
            if str(one.address) != old:
                kept.append(one)
            elif new is not None:
                kept.append(NamedAddress(one.name, Address.parse(new)))
        changed[field] = recipient_input.format_recipients(kept)
    return replace(draft, **changed)
