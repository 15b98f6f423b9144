"""What came back from a list's members: noted beside the member, sent on to nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from engine.mail import dsn
from engine.mail.address import Address, InvalidAddressError
from engine.mail.dsn_fields import Action
from engine.mail.smtp_replies import OK
from engine.queue.models import QueuedMessage, Recipient, Source
from engine.registry.models import Alias, ListMember
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage import content
from engine.transport.parcel import Outcome, OutcomeState, Parcel, answer

# A notice about our message is small; what is larger is not read.
NOTICE_OCTETS = 1024 * 1024
FAILURE_LENGTH = 500  # of ListMember.last_failure
NOTED = OK.saying("Noted for whoever looks after the list")


def note(settled: Iterable[tuple[Recipient, Outcome]]) -> None:
    """Note what became of members' copies, in the caller's transaction."""
    reached: defaultdict[str, list[str]] = defaultdict(list)
    for row, outcome in settled:
        if row.message.source != Source.LIST:
            continue
        if outcome.state is OutcomeState.FAILED:
            list_id = _list_of(row.message.sender)
            note_failure(list_id, row.address, str(outcome.reply))
        elif outcome.state is OutcomeState.RELAYED:
            reached[row.message.sender].append(row.address)
    for sender, addresses in reached.items():
        _note_reached(_list_of(sender), addresses)


def is_due(row: Recipient, outcome: Outcome) -> bool:
    """Whether it is noted beside a list's member."""
    noted = (OutcomeState.FAILED, OutcomeState.RELAYED)
    return row.message.source == Source.LIST and outcome.state in noted


def collect(parcel: Parcel, message: QueuedMessage) -> list[Outcome]:
    """Read a notice that a member's server returned to the list's bounce address.

    It speaks for its own organisation's addresses only: nobody makes another's member
    look out of reach.
    """
    known = routes.current()
    list_id = int(parcel.destination.partition(":")[2])
    for address, reply in _failures(message, known):
        note_failure(list_id, address, reply)
    return answer(parcel, OutcomeState.DELIVERED, NOTED)


def note_failure(list_id: int | None, address: str, reply: str) -> None:
    """Write down that a list's message did not reach the address, and why."""
    _members(list_id, [address]).update(
        failures=F("failures") + 1,
        last_failure=reply[:FAILURE_LENGTH],
        last_failed_at=timezone.now(),
    )


def _note_reached(list_id: int | None, addresses: Collection[str]) -> None:
    _members(list_id, addresses).filter(failures__gt=0).update(failures=0)


def _members(list_id: int | None, addresses: Collection[str]) -> QuerySet[ListMember]:
    """The list's members with these addresses, or whose alias leads there."""
    keys = [Address.parse(address).key for address in addresses]
    aliases = Alias.objects.filter(target__in=keys).values("address")
    return ListMember.objects.filter(
        Q(address__in=keys) | Q(address__in=aliases), distribution_list=list_id
    )


def _list_of(sender: str) -> int | None:
    """The list whose bounce address this is, if it is still there."""
    key = Address.parse(sender).key
    return routes.current().lists.bounces.first(key)


def _failures(message: QueuedMessage, known: Routes) -> Iterator[tuple[str, str]]:
    if message.content.size > NOTICE_OCTETS:
        return
    for said in dsn.read(content.read(message.content)):
        if said.action is not Action.FAILED:
            continue
        try:
            address = known.domains.to_community(Address.parse(said.address))
        except InvalidAddressError:
            continue
        if known.organisation_of(address) == message.organisation_id:
            yield str(address), said.diagnostic or said.status
