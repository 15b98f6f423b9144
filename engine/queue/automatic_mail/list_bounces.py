"""Records bounces of list mail beside the list's members; bounces are forwarded to nobody."""

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

# A DSN about one of our messages is small; anything larger is not read.
DSN_OCTETS = 1024 * 1024
FAILURE_LENGTH = 500  # of ListMember.last_failure
NOTED = OK.saying("Noted for the list's administrators")


def note_outcomes(outcomes: Iterable[tuple[Recipient, Outcome]]) -> None:
    """Records failed and successful deliveries to members, in the caller's transaction."""
    reached: defaultdict[str, list[str]] = defaultdict(list)
    for row, outcome in outcomes:
        if row.message.source != Source.LIST:
            continue
        if outcome.state is OutcomeState.FAILED:
            list_id = _list_of(row.message.sender)
            record_failure(list_id, row.address, str(outcome.reply))
        elif outcome.state is OutcomeState.RELAYED:
            reached[row.message.sender].append(row.address)
    for sender, addresses in reached.items():
        _clear_failures(_list_of(sender), addresses)


def is_noted(row: Recipient, outcome: Outcome) -> bool:
    """Returns whether the outcome is recorded beside a list member."""
    noted = (OutcomeState.FAILED, OutcomeState.RELAYED)
    return row.message.source == Source.LIST and outcome.state in noted


def collect(parcel: Parcel, message: QueuedMessage) -> list[Outcome]:
    """Reads a DSN that a member's server returned to the list's bounce address.

    A DSN is believed about addresses of its own organisation only: otherwise anybody
    could make another organisation's member look unreachable.
    """
    known = routes.current()
    list_id = int(parcel.destination.partition(":")[2])
    for address, reply in _failures(message, known):
        record_failure(list_id, address, reply)
    return answer(parcel, OutcomeState.DELIVERED, NOTED)


def record_failure(list_id: int | None, address: str, reply: str) -> None:
    """Records that a message of the list did not reach the address, and the reply."""
    _members(list_id, [address]).update(
        failures=F("failures") + 1,
        last_failure=reply[:FAILURE_LENGTH],
        last_failed_at=timezone.now(),
    )


def _clear_failures(list_id: int | None, addresses: Collection[str]) -> None:
    _members(list_id, addresses).filter(failures__gt=0).update(failures=0)


def _members(list_id: int | None, addresses: Collection[str]) -> QuerySet[ListMember]:
    """Returns the list's members with these addresses, or whose alias leads to one."""
    keys = [Address.parse(address).key for address in addresses]
    aliases = Alias.objects.filter(target__in=keys).values("address")
    return ListMember.objects.filter(
        Q(address__in=keys) | Q(address__in=aliases), distribution_list=list_id
    )


def _list_of(sender: str) -> int | None:
    """Returns the id of the list with this bounce address; None if it is gone."""
    key = Address.parse(sender).key
    return routes.current().lists.bounces.first(key)


def _failures(message: QueuedMessage, known: Routes) -> Iterator[tuple[str, str]]:
    if message.content.size > DSN_OCTETS:
        return
    for report in dsn.read(content.read(message)):
        if report.action is not Action.FAILED:
            continue
        try:
            address = known.domains.to_community(Address.parse(report.address))
        except InvalidAddressError:
            continue
        if known.organisation_of(address) == message.organisation_id:
            yield str(address), report.diagnostic or report.status
