"""The check before sending: webmail and the API ask here, and show the same findings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from django.template.defaultfilters import filesizeformat

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.notifications import upload_scan
from engine.queue.preflight import conversation, message_size
from engine.queue.preflight.conversation import Conversation
from engine.queue.preflight.findings import Code, Finding
from engine.queue.preflight.recipients import (
    CheckedRecipient,
    check_recipients,
    without_brackets,
)
from engine.registry.directory.visibility import Viewer
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.routing.recipients import RecipientKind

# Octets of attachments above which a recipient's own server may refuse the message.
LARGE = 10 * 1024 * 1024

# Recipients above which sending must be confirmed, and recipients in To and Cc, of several
# organisations, above which Bcc is suggested.
MANY = 25
VISIBLE = 10

# English, and Welsh: atodaf, atodi, atodiad, ynghlwm, amgaeaf.
_MENTIONS_ATTACHMENT = re.compile(
    r"\b(?:attach(?:ed|ing|ment|ments)?|enclos(?:ed|ing|ure)"
    r"|atod\w*|ynghlwm|amgae\w*)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^(?:>.*|On .{1,200} wrote:|Forwarded message$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Question:
    """A message that somebody is about to send.

    `files` are attachments to examine, `file_sizes` the octets of those that were examined
    when they were added; `has_links` says that other files are sent as links. `familiar`
    are keys of addresses that are not asked about as new. `answered_in` is the mailbox that
    has the message `in_reply_to`. Without it, and without `reads_mailbox`, nothing is looked
    for in stored mail: for those who may not read it.
    """

    mailbox: Mailbox
    sender: Address
    viewer: Viewer
    recipients: Recipients
    subject: str
    text: str
    in_reply_to: str = ""
    answered_in: Mailbox | None = None
    reads_mailbox: bool = False
    files: Sequence[Attachment] = ()
    file_sizes: Sequence[int] = ()
    has_links: bool = False
    familiar: Collection[str] = field(default_factory=frozenset)
    asks_about_new: bool = True

    @property
    def named(self) -> list[tuple[str, NamedAddress]]:
        """Each recipient with the name of its field."""
        fields = ("to", "cc", "bcc")
        return [(one, who) for one in fields for who in getattr(self.recipients, one)]

    @property
    def sizes(self) -> list[int]:
        """Octets of each attachment."""
        return [*self.file_sizes, *(len(one.data) for one in self.files)]


def check(question: Question) -> list[Finding]:
    """Returns what to look at before the message is sent, recipients first."""
    answered = conversation.of_answered(question.in_reply_to, question.answered_in)
    checked = check_recipients(
        question.named,
        viewer=question.viewer,
        sender=question.sender,
        conversation=answered,
    )
    return [
        *_about_recipients(question, checked, answered),
        *_about_number(question, checked),
        *_about_text(question),
        *_about_files(question),
    ]


def mentions_attachment(text: str) -> bool:
    """True if the new text, not the quoted text, mentions an attachment."""
    quoted = _QUOTED.search(text)
    own = text[: quoted.start()] if quoted else text
    return bool(_MENTIONS_ATTACHMENT.search(own))


def _about_recipients(
    question: Question,
    checked: Sequence[CheckedRecipient],
    answered: Conversation | None,
) -> Iterator[Finding]:
    new = _new_recipients(question, checked, answered)
    seen = set()
    for one in checked:
        if one.facts.address.key in seen:
            continue
        seen.add(one.facts.address.key)
        if one.facts.is_refused:
            yield _refused(one)
            continue
        if one.is_from_elsewhere:
            yield _of(
                one,
                Code.OTHER_ORGANISATION,
                f"{_who(one)} joins the conversation: no person from "
                f"{one.facts.organisation} has taken part in it so far, and they will "
                "read what is quoted.",
                "Remove them, or delete what they should not read.",
            )
        elif one.facts.address.key in new:
            yield _of(
                one,
                Code.NEW_RECIPIENT,
                f"This is the first message from this mailbox to {_who(one)}.",
                "Check that this is the right person, or remove them.",
            )
        yield from _about_one(one)


def _about_one(one: CheckedRecipient) -> Iterator[Finding]:
    if one.namesakes:
        yield _of(
            one,
            Code.SAME_NAME,
            f"{one.namesakes_sentence}. You are writing to the one at "
            f"{one.facts.organisation}.",
            "Choose the one that you mean.",
            others=one.namesakes,
        )
    if one.is_other_name:
        yield _of(
            one,
            Code.OTHER_NAME,
            f"{one.other_name_sentence} at {one.facts.address}.",
            "Check the address, or remove it.",
        )
    if one.is_full:
        yield _of(
            one,
            Code.MAILBOX_FULL,
            f"The mailbox of {_who(one)} is full. The message waits until there is room, "
            "and is returned to you after some days.",
            "Reach them another way, or remove them.",
        )
    if one.away:
        yield _of(
            one,
            Code.OUT_OF_OFFICE,
            f"{_who(one)} is away and replies: {one.away}",
            "Send it to somebody else, or send it all the same.",
        )


def _new_recipients(
    question: Question,
    checked: Sequence[CheckedRecipient],
    answered: Conversation | None,
) -> set[str]:
    """Returns the keys of recipients in other organisations who were never written to."""
    if not (question.asks_about_new and question.reads_mailbox):
        return set()
    known = {*question.familiar, *(answered.people if answered else ())}
    own = question.mailbox.organisation.name
    asked = [
        one.facts.address
        for one in checked
        if one.facts.kind is not RecipientKind.REFUSED
        and one.facts.organisation != own
        and one.facts.address.key not in known
    ]
    return conversation.strangers(asked, question.mailbox)


def _refused(one: CheckedRecipient) -> Finding:
    suspended = one.facts.is_suspended
    code = Code.RECIPIENT_SUSPENDED if suspended else Code.RECIPIENT_REFUSED
    sentence = f"{without_brackets(one.facts.refusal).rstrip('.')}."
    return _of(one, code, sentence, "Correct the address, or remove it.")


def _about_number(
    question: Question, checked: Sequence[CheckedRecipient]
) -> Iterator[Finding]:
    shown = [one for one in checked if one.field != "Bcc"]
    organisations = {one.facts.organisation for one in shown} - {""}
    if len(shown) >= VISIBLE and len(organisations) > 1:
        yield Finding(
            Code.MANY_VISIBLE,
            f"{len(shown)} people at {len(organisations)} organisations will see each "
            "other's addresses.",
            "Move them to Bcc, or write to each separately.",
        )
    if len(question.recipients.all) >= MANY:
        yield Finding(
            Code.MANY_RECIPIENTS,
            f"The message goes to {len(question.recipients.all)} addresses.",
            "Check that it is meant for all of them.",
        )


def _about_text(question: Question) -> Iterator[Finding]:
    if not question.subject.strip():
        yield Finding(
            Code.NO_SUBJECT, "The message has no subject.", "Write a subject."
        )
    has_files = bool(question.sizes) or question.has_links
    if not has_files and mentions_attachment(question.text):
        yield Finding(
            Code.NO_ATTACHMENT,
            "Your message mentions an attachment, but no file is attached.",
            "Add the file.",
        )


def _about_files(question: Question) -> Iterator[Finding]:
    for file in question.files:
        try:
            upload_scan.check_can_carry(
                file.data, name=file.name, content_type=file.content_type
            )
        except PolicyError as error:
            advice = "Remove the file, or send it in another form."
            yield Finding(Code.ATTACHMENT_REFUSED, str(error), advice)
    total = sum(question.sizes)
    limit = message_size.files_limit()
    if total > limit:
        yield Finding(
            Code.TOO_LARGE,
            f"The attachments are {filesizeformat(total)} in total. One message carries "
            f"at most {filesizeformat(limit)}.",
            "Send several messages.",
        )
    elif total > LARGE:
        yield Finding(
            Code.LARGE_MESSAGE,
            f"The attachments are {filesizeformat(total)} in total. Some recipients' "
            "servers may refuse a message of that size.",
            "Send several messages, or send it all the same.",
        )


def _of(
    one: CheckedRecipient,
    code: Code,
    sentence: str,
    advice: str,
    others: Sequence[tuple[str, str]] = (),
) -> Finding:
    return Finding(code, sentence, advice, one.facts.address, one.name, others)


def _who(one: CheckedRecipient) -> str:
    """Names a recipient with address and organisation: names alone are not unique."""
    address = str(one.facts.address)
    name = one.facts.name
    who = f"{name} ({address})" if name else address
    place = one.facts.organisation
    return f"{who} at {place}" if place else who
