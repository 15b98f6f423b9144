"""What a sender is shown of a recipient while composing.

No more than sending would show: whether mail is taken, and which organisation has the
domain. Names and numbers come only from what is published in the directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.address import Address
from engine.mail.errors import MailError
from engine.registry.models import (
    DistributionList,
    Kind,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.routing import policies, routes
from engine.routing.refusals import SuspendedRecipientError
from engine.routing.routes import Route, RouteKind, Routes


class RecipientKind(StrEnum):
    """What kind of recipient an address is."""

    PERSON = "person"
    GROUP = "group"
    LIST = "list"
    SERVER = "server"
    """An address on an organisation's own server, which alone knows its people."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RecipientFacts:
    """What the sender may know of one recipient.

    `members` is the number of a published list's members, else None. `refusal` is the
    sentence for the sender where mail would not be taken.
    """

    address: Address
    kind: RecipientKind
    name: str = ""
    job_title: str = ""
    organisation: str = ""
    organisation_kind: str = ""
    members: int | None = None
    refusal: str = ""
    is_suspended: bool = False
    is_full: bool = False
    mailbox_id: int | None = None

    @property
    def is_refused(self) -> bool:
        """Whether RCPT is refused for it, so that no message may be addressed to it."""
        return self.kind == RecipientKind.REFUSED


def about_all(
    addresses: Sequence[Address], *, viewer: Person | None, sender: Address
) -> list[RecipientFacts]:
    """Describes recipients, in the same order, and says whether mail is taken for each.

    `viewer` is the person who composes, None for a program; `sender` is the address that
    they write as. Five queries, however many there are.
    """
    known = routes.current()
    found = [_resolved(known, address, sender) for address in addresses]
    rows = _Rows([f for f in found if isinstance(f, Route)], viewer)
    return [
        _of(known, rows, f) if isinstance(f, Route) else _refused(address, f)
        for address, f in zip(addresses, found, strict=True)
    ]


def _resolved(known: Routes, address: Address, sender: Address) -> Route | MailError:
    try:
        route = known.resolve(address)
        policies.check_can_reach(known, route, sender=sender)
    except MailError as error:
        return error
    return route


def _refused(address: Address, error: MailError) -> RecipientFacts:
    return RecipientFacts(
        address,
        RecipientKind.REFUSED,
        refusal=error.reply.text,
        is_suspended=isinstance(error, SuspendedRecipientError),
    )


class _Rows:
    """The rows behind some routes, one query for each kind."""

    def __init__(self, found: Sequence[Route], viewer: Person | None) -> None:
        self.viewer = viewer
        self.organisations = Organisation.objects.in_bulk(
            {route.organisation_id for route in found}
        )
        self.mailboxes = Mailbox.objects.select_related("owner").in_bulk(
            _set(route.mailbox_id for route in found)
        )
        self.lists = DistributionList.objects.in_bulk(
            _set(route.list_id for route in found)
        )
        relayed = [f.address.key for f in found if f.kind == RouteKind.CONNECTION]
        people = Person.objects.filter(address__in=relayed, is_ex_directory=False)
        self.people = {person.address: person for person in people}


def _set(ids: Iterable[int | None]) -> set[int]:
    return {one for one in ids if one is not None}


def _of(known: Routes, rows: _Rows, route: Route) -> RecipientFacts:
    organisation = rows.organisations.get(route.organisation_id)
    mailbox = rows.mailboxes.get(route.mailbox_id or 0)
    kind, name, job_title, members = _behind(known, rows, route)
    return RecipientFacts(
        address=route.address,
        kind=kind,
        name=name,
        job_title=job_title,
        organisation=organisation.name if organisation else "",
        organisation_kind=Kind(organisation.kind).label if organisation else "",
        members=members,
        is_full=mailbox is not None and mailbox.used_bytes >= mailbox.quota_bytes,
        mailbox_id=route.mailbox_id,
    )


def _behind(
    known: Routes, rows: _Rows, route: Route
) -> tuple[RecipientKind, str, str, int | None]:
    """The kind, name, job title and number of members that may be shown."""
    if route.mailbox_id is not None:
        return *_mailbox(rows, rows.mailboxes.get(route.mailbox_id)), None
    if route.list_id is not None:
        row = rows.lists.get(route.list_id)
        if row is None or not row.is_published:
            return RecipientKind.LIST, "", "", None
        facts = known.list(row.pk)
        return RecipientKind.LIST, row.name, "", len(facts.members) if facts else None
    if route.kind is RouteKind.ADMINISTRATORS:
        # A name or a number would tell strangers who administers the organisation.
        return RecipientKind.GROUP, "", "", None
    person = rows.people.get(route.address.key)
    if person is not None:
        return RecipientKind.PERSON, person.name, person.job_title, None
    return RecipientKind.SERVER, "", "", None


def _mailbox(rows: _Rows, mailbox: Mailbox | None) -> tuple[RecipientKind, str, str]:
    is_group = mailbox is not None and mailbox.kind == MailboxKind.GROUP
    kind = RecipientKind.GROUP if is_group else RecipientKind.PERSON
    if mailbox is None:
        return kind, "", ""
    is_own = rows.viewer is not None and mailbox.owner_id == rows.viewer.pk
    if not (mailbox.is_published or is_own):
        return kind, "", ""
    return kind, mailbox.name, mailbox.owner.job_title if mailbox.owner else ""
