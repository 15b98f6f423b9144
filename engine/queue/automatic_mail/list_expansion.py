"""Expands a message to a distribution list into one message to the list's members.

The members' message shares one stored copy of the body. Its envelope sender is the list's
bounce address, so that bounces reach neither the members nor the author: `list_bounces`
records them. The organisation stays the author's, so that suspending the author's
organisation holds these copies too.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.smtp_replies import LOOP, OK, UNKNOWN_RECIPIENT, Reply
from engine.queue.automatic_mail import list_bounces
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import QueuedMessage, Source
from engine.registry.addresses.allocation import bounce_address
from engine.routing import policies, routes
from engine.routing.refusals import SuspendedRecipientError
from engine.routing.routes import ListFacts, Routes
from engine.storage import content
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.transport.parcel import Outcome, OutcomeState, Parcel, answer

LOOP_HEADER = "X-Loop"
# Fields that only a list may write (RFC 2369, RFC 2919); an author's are dropped.
LIST_FIELDS = (
    "List-Id", "List-Post", "List-Help", "List-Owner", "List-Archive",
    "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence",
)  # fmt: skip
NO_MEMBERS = Reply(550, "5.1.1", "The distribution list has no members to reach")


@dataclass(frozen=True, slots=True)
class Member:
    """A member that can be reached, and the destination its mail is queued under."""

    address: Address
    destination: str


def expand(parcel: Parcel, message: QueuedMessage) -> list[Outcome]:
    """Commits the message to the members, in the caller's transaction."""
    known = routes.current()
    facts = known.list(int(parcel.destination.partition(":")[2]))
    if facts is None:
        return answer(parcel, OutcomeState.FAILED, UNKNOWN_RECIPIENT)
    header = HeaderBlock.parse(content.header(message))
    if has_passed(header, facts.address):
        return answer(parcel, OutcomeState.FAILED, LOOP)
    try:
        policies.check_can_send_on(header, sender=parcel.sender)
    except PermanentFailure as refusal:
        return answer(parcel, OutcomeState.FAILED, refusal.reply)
    if message.source != Source.LIST:
        header = header.without(*LIST_FIELDS)
    members = _members(facts, known, message.reference)
    if not members:
        return answer(parcel, OutcomeState.FAILED, NO_MEMBERS)
    accepted = _members_message(message, facts, header, members)
    [reference] = commit.commit_messages([accepted])
    reply = OK.saying(f"Sent on to {len(members)} members as {reference}")
    detail = {"members": len(members), "sent_on_as": reference}
    return answer(parcel, OutcomeState.EXPANDED, reply, detail)


def has_passed(header: HeaderBlock, address: Address) -> bool:
    """Returns whether the message has passed this list or mailbox before."""
    mark = address.key.encode()
    return any(field.value.lower() == mark for field in header.all(LOOP_HEADER))


def _members(facts: ListFacts, known: Routes, reference: str) -> list[Member]:
    """Returns each reachable member once; traces those that are left out."""
    reached: dict[str, Member] = {}
    left_out = []
    for key in facts.members:
        try:
            route = known.resolve(Address.parse(key))
            policies.check_can_pass_on(known, facts, route)
        except PermanentFailure as refusal:
            # A suspension ends; it is no sign that the member's address is wrong.
            if not isinstance(refusal, SuspendedRecipientError):
                list_bounces.record_failure(facts.id, key, str(refusal))
            detail = {"reply": str(refusal), "list": str(facts.address)}
            left_out.append(event_log.event(reference, EventKind.FAILED, key, **detail))
        else:
            reached[route.address.key] = Member(route.address, route.destination)
    event_log.save(left_out)
    return list(reached.values())


def _members_message(
    message: QueuedMessage,
    facts: ListFacts,
    header: HeaderBlock,
    members: list[Member],
) -> AcceptedMessage:
    header = list_header(header, facts)
    return _copies(message, facts.address, facts.bounce_address, header, members)


def _copies(
    message: QueuedMessage,
    sent_by: Address,
    bounces_to: Address,
    header: HeaderBlock,
    members: list[Member],
) -> AcceptedMessage:
    return AcceptedMessage(
        envelope=Envelope(
            bounces_to,
            tuple(EnvelopeRecipient(member.address) for member in members),
            requires_tls=message.requires_tls,  # RFC 8689 §6
        ),
        destinations=tuple(member.destination for member in members),
        kept=content.with_header(message, header.to_bytes()),
        source=Source.LIST,
        organisation_id=message.organisation_id,
        person_id=message.person_id,
        detail={"list": str(sent_by), "expanded_from": message.reference},
    )


def expand_role(parcel: Parcel, message: QueuedMessage) -> list[Outcome]:
    """Commits a message to postmaster@ or abuse@ to the organisation's administrators.

    In the caller's transaction. As from a list, so that neither a bounce nor a report nor
    an automatic answer tells the sender who they are.
    """
    known = routes.current()
    role = parcel.recipients[0].address
    owner = known.domains.owner_of(role.domain)
    header = HeaderBlock.salvage(content.header(message))
    if has_passed(header, role):
        return answer(parcel, OutcomeState.FAILED, LOOP)
    members = {
        route.address.key: Member(route.address, route.destination)
        for route in (known.administrators(owner) if owner is not None else ())
        if route.address.key != role.key
    }
    if not members:
        return answer(parcel, OutcomeState.FAILED, UNKNOWN_RECIPIENT)
    marked = header.without(*LIST_FIELDS).prepended(LOOP_HEADER, role.key)
    accepted = _copies(
        message,
        role,
        bounce_address(role),
        marked.prepended("Precedence", "list"),
        list(members.values()),
    )
    [reference] = commit.commit_messages([accepted])
    reply = OK.saying("Sent on to the people who read this address")
    return answer(
        parcel,
        OutcomeState.EXPANDED,
        reply,
        {"role": str(role), "sent_on_as": reference},
    )


def list_header(header: HeaderBlock, facts: ListFacts) -> HeaderBlock:
    """Adds the list fields (RFC 2919, RFC 2369) and the mark that detects loops."""
    marked = header.prepended(LOOP_HEADER, facts.address.key)
    if header.get("List-Id") is not None:
        return marked  # a list within a list: the outermost list names the message
    name = f"{facts.address.local}.{facts.address.domain}"
    return (
        marked.prepended("Precedence", "list")
        .prepended("List-Help", f"<{settings.POSTERN.site_url}/help/>")
        .prepended("List-Post", f"<mailto:{facts.address}>")
        .prepended("List-Id", f"<{name}>")
    )
