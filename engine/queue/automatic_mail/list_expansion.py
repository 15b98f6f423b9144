"""A message to a distribution list becomes one message to its members.

The members' message shares one stored copy. Its envelope sender is the list's bounce
address: what a member's server returns there reaches neither the crowd nor the author, it
is noted beside the member, and the trace of the members' message says what became of each. The
sender's organisation stays the author's, so that suspending it holds these copies too.
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
from engine.queue.models import QueuedMessage, Source
from engine.routing import policies, routes
from engine.routing.refusals import SuspendedRecipientError
from engine.routing.routes import ListFacts, Routes
from engine.storage import content
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.transport.parcel import Outcome, OutcomeState, Parcel, answer

PASSED = "X-Loop"
# What only a list may say of itself (RFC 2369, RFC 2919); an author's is dropped.
LIST_FIELDS = (
    "List-Id", "List-Post", "List-Help", "List-Owner", "List-Archive",
    "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence",
)  # fmt: skip
NO_MEMBERS = Reply(550, "5.1.1", "The distribution list has no members to reach")


@dataclass(frozen=True, slots=True)
class Member:
    """A member who can be reached, and where its mail is queued."""

    address: Address
    destination: str


def expand(parcel: Parcel, message: QueuedMessage) -> list[Outcome]:
    """Accept the members' message, in the caller's transaction."""
    known = routes.current()
    facts = known.list(int(parcel.destination.partition(":")[2]))
    if facts is None:
        return answer(parcel, OutcomeState.FAILED, UNKNOWN_RECIPIENT)
    header = HeaderBlock.parse(bytes(message.content.header))
    if has_passed(header, facts.address):
        return answer(parcel, OutcomeState.FAILED, LOOP)
    if message.source != Source.LIST:
        header = header.without(*LIST_FIELDS)
    members = _members(facts, known, message.reference)
    if not members:
        return answer(parcel, OutcomeState.FAILED, NO_MEMBERS)
    [reference] = commit.commit([_for_members(message, facts, header, members)])
    reply = OK.saying(f"Sent on to {len(members)} members as {reference}")
    detail = {"members": len(members), "sent_on_as": reference}
    return answer(parcel, OutcomeState.EXPANDED, reply, detail)


def has_passed(header: HeaderBlock, address: Address) -> bool:
    """True when the message has been through this list before."""
    mark = address.key.encode()
    return any(field.value.lower() == mark for field in header.all(PASSED))


def _members(facts: ListFacts, known: Routes, reference: str) -> list[Member]:
    """Who is reached, each once. Who cannot be is left out, and the trace says so."""
    reached: dict[str, Member] = {}
    left_out = []
    for key in facts.members:
        try:
            route = known.resolve(Address.parse(key))
            policies.check_can_pass_on(known, facts, route)
        except PermanentFailure as refusal:
            if not isinstance(refusal, SuspendedRecipientError):
                list_bounces.note_failure(facts.id, key, str(refusal))
            facts_of_it = {"reply": str(refusal), "list": str(facts.address)}
            left_out.append(
                event_log.event(reference, EventKind.FAILED, key, **facts_of_it)
            )
        else:
            reached[route.address.key] = Member(route.address, route.destination)
    event_log.events(left_out)
    return list(reached.values())


def _for_members(
    message: QueuedMessage,
    facts: ListFacts,
    header: HeaderBlock,
    members: list[Member],
) -> commit.Incoming:
    return commit.Incoming(
        envelope=Envelope(
            facts.bounce_address,
            tuple(EnvelopeRecipient(member.address) for member in members),
        ),
        destinations=tuple(member.destination for member in members),
        kept=content.under(message.content, list_header(header, facts).to_bytes()),
        source=Source.LIST,
        organisation_id=message.organisation_id,
        person_id=message.person_id,
        detail={"list": str(facts.address), "expanded_from": message.reference},
    )


def list_header(header: HeaderBlock, facts: ListFacts) -> HeaderBlock:
    """The header with what a list adds: RFC 2919, RFC 2369, and our mark of passage."""
    marked = header.prepended(PASSED, facts.address.key)
    if header.get("List-Id") is not None:
        return marked  # a list within a list: the outermost names the message
    name = f"{facts.address.local}.{facts.address.domain}"
    return (
        marked.prepended("Precedence", "list")
        .prepended("List-Help", f"<{settings.POSTERN.site_url}/help/>")
        .prepended("List-Post", f"<mailto:{facts.address}>")
        .prepended("List-Id", f"<{name}>")
    )
