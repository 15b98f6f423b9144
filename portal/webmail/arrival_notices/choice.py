"""What a person chooses: how often, of which mailboxes, and the proof of the address."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.core import signing
from django.db import transaction

from engine.audit.record import record
from engine.database import clock
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.queue.notifications.notice_routing import OUTSIDE, route_notice
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.routing import routes
from engine.storage.models import Message
from portal.webmail.models import ArrivalNotice, NoticedMailbox, Period

SALT = "webmail.everyday_proof"
LINK_LIFETIME = timedelta(days=1)
# The least time between two links, so that nobody can have an address flooded.
LINK_SPACING = timedelta(minutes=2)


def notice_of(person: Person) -> ArrivalNotice:
    """Returns the person's choice; unsaved where they have made none.

    It suggests a notice once an hour to people whose mail is kept here, and none to those
    who read it on a server of their own.
    """
    found = ArrivalNotice.objects.filter(person=person).first()
    if found is not None:
        found.person = person
        return found
    is_hosted = person.organisation is not None and person.organisation.is_hosted
    return ArrivalNotice(
        person=person, period=Period.HOURLY if is_hosted else Period.NEVER
    )


@transaction.atomic
def choose(person: Person, *, period: Period, mailboxes: Collection[Mailbox]) -> None:
    """Saves how often the person is notified, and of which mailboxes.

    Of the mailboxes the caller has checked that the person may read them; each notice
    checks it again. Mail that is there already is not announced.
    """
    notice, is_new = ArrivalNotice.objects.select_for_update().get_or_create(
        person=person
    )
    newest = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if is_new or notice.period == Period.NEVER:
        notice.announced_to = notice.arrived_to = newest
    notice.period = period
    notice.save(update_fields=["period", "announced_to", "arrived_to"])
    chosen = {mailbox.pk for mailbox in mailboxes}
    notice.noticed.exclude(mailbox__in=chosen).delete()
    known = set(notice.noticed.values_list("mailbox_id", flat=True))
    NoticedMailbox.objects.bulk_create(
        NoticedMailbox(notice=notice, mailbox_id=pk, since=newest)
        for pk in sorted(chosen - known)
    )
    record(
        "person.arrival_notices_chosen",
        person,
        organisation_key=person.organisation_id or "",
        detail={"period": str(period), "mailboxes": sorted(chosen)},
        by=person,
    )


def check_can_be_notified(person: Person) -> None:
    """Raises PolicyError for an everyday address that is missing, or in the community.

    An address in the community would have a notice announced by the next one, and may be
    another member's.
    """
    if not person.everyday_address:
        raise PolicyError("Add an everyday address to your account first.")
    try:
        address = Address.parse(person.everyday_address)
        _, way = route_notice(routes.current(), address, is_everyday=True)
    except (InvalidAddressError, PermanentFailure):
        way = ""
    taken = Person.objects.filter(address=person.everyday_address.casefold())
    if way != OUTSIDE or taken.exclude(pk=person.pk).exists():
        raise PolicyError(
            "Your everyday address is inside this service. Change it to one outside, "
            "which you read with your other mail."
        )


@transaction.atomic
def take_link(person: Person) -> None:
    """Notes that a link is on its way. Raises PolicyError if one was sent just now."""
    check_can_be_notified(person)
    notice, _ = ArrivalNotice.objects.select_for_update().get_or_create(person=person)
    now = clock.now()
    if notice.link_sent_at is not None and notice.link_sent_at > now - LINK_SPACING:
        raise PolicyError(
            "We sent you a link less than two minutes ago. Wait for it, and look in "
            "your junk mail, before you ask for another."
        )
    notice.link_sent_at = now
    notice.save(update_fields=["link_sent_at"])


def proof_token(person: Person) -> str:
    """Returns what proves that its reader reads the person's everyday address."""
    return signing.dumps([person.pk, person.everyday_address], salt=SALT)


def is_proof(person: Person, token: str) -> bool:
    """Returns whether it is this person's token, for the address they have now."""
    try:
        named = signing.loads(token, salt=SALT, max_age=LINK_LIFETIME)
    except signing.BadSignature:
        return False
    return bool(named == [person.pk, person.everyday_address])


@transaction.atomic
def prove(person: Person, token: str) -> None:
    """Records that the person reads their everyday address. Raises PolicyError."""
    if not is_proof(person, token):
        raise PolicyError("This link has expired, or is for another address.")
    check_can_be_notified(person)
    ArrivalNotice.objects.update_or_create(
        person=person,
        defaults={
            "proved_address": person.everyday_address,
            "proved_at": clock.now(),
        },
    )
    record(
        "person.everyday_address_proved",
        person,
        organisation_key=person.organisation_id or "",
        detail={"address": person.everyday_address},
        by=person,
    )
