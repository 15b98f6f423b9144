"""Every way in which the registry is written, as steps that a property test draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import ProtectedError

from engine.registry.actions import (
    aliases,
    allowances,
    connections,
    domains,
    lists,
    mailboxes,
    organisations,
    people,
    roles,
    sending_stops,
    sessions,
)
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Alias,
    Allowance,
    Connection,
    DistributionList,
    Domain,
    Grant,
    Kind,
    ListMember,
    Mailbox,
    MailboxKind,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    Posting,
    Proof,
    Provider,
    RoleName,
    SenderKind,
    SendingStop,
)
from tests import factories

Row = TypeVar("Row", bound=models.Model)
Step = Callable[[int, int], object]
STEPS: dict[str, Step] = {}
ACCOUNTS = (AccountType.WEBMAIL, AccountType.SMTP, AccountType.CLOUD_GATEWAY)


def step(action: Step) -> Step:
    STEPS[action.__name__] = action
    return action


def one(model: type[Row], number: int) -> Row:
    """Returns one of the rows; raises PolicyError if there is none."""
    rows: Sequence[Row] = model._default_manager.order_by("pk")
    count = len(rows)
    if not count:
        raise PolicyError("There is none.")
    return rows[number % count]


def take(name: str, first: int, second: int) -> None:
    """Runs a step; a refusal leaves everything unchanged."""
    try:
        with transaction.atomic():
            STEPS[name](first, second)
    except (PolicyError, ProtectedError):
        pass


def begin() -> None:
    """Creates a hosted organisation with people, and one with its own server."""
    court = factories.make_organisation(name="Court")
    factories.make_domain(court, "court.secure.example")
    for name in ("ann", "ben", "cas"):
        factories.make_mailbox(
            factories.make_person(f"{name}@court.secure.example", court)
        )
    firm = factories.make_organisation(name="Firm", account_type=AccountType.SMTP)
    factories.make_domain(firm, "firm.example")
    factories.make_person("dee@firm.example.secure.example", firm)
    factories.make_connection(firm)
    factories.make_organisation(name="Inn", status=OrganisationStatus.SUSPENDED)
    factories.make_group_mailbox("team@court.secure.example", court)
    factories.make_list("all@court.secure.example", court, "ann@court.secure.example")
    factories.make_alias("desk@court.secure.example", "ann@court.secure.example", court)


def _place(number: int) -> tuple[Organisation, str]:
    """Returns an organisation, and an address in one of its domains."""
    domain = one(Domain, number)
    name = "abcdefgh"[number % 8]
    return domain.organisation, f"{name}{number}@{domain.community_domain}"


@step
def add_organisation(a: int, b: int) -> None:
    made = organisations.add(
        name=f"Org {a}", kind=Kind.LAW_FIRM, account_type=ACCOUNTS[b % 3], by=None
    )
    if a % 2:
        organisations.activate(made, by=None)


@step
def rename_organisation(a: int, b: int) -> None:
    organisations.edit(one(Organisation, a), name=f"Renamed {b}", by=None)


@step
def suspend_organisation(a: int, b: int) -> None:
    organisations.suspend(one(Organisation, a), reason="x", by=None)


@step
def resume_organisation(a: int, b: int) -> None:
    organisations.resume(one(Organisation, a), by=None)


@step
def close_organisation(a: int, b: int) -> None:
    organisations.close(one(Organisation, a), reason="x", by=None)


@step
def change_account_type(a: int, b: int) -> None:
    row = one(Organisation, a)
    row.account_type = ACCOUNTS[b % 3]
    row.save()


@step
def delete_organisation(a: int, b: int) -> None:
    one(Organisation, a).delete()


@step
def add_domain(a: int, b: int) -> None:
    # Some look alike: the digit one and the letter l.
    name = ("pal", "pa1", "north", "n0rth")[b % 4]
    made = domains.add(one(Organisation, a), member_domain=f"{name}.example", by=None)
    if b % 3:
        domains.verify(made, by=None)


@step
def verify_domain(a: int, b: int) -> None:
    domains.verify(one(Domain, a), by=None)


@step
def remove_domain(a: int, b: int) -> None:
    domains.remove(one(Domain, a), by=None)


@step
def unverify_domain(a: int, b: int) -> None:
    row = one(Domain, a)
    row.verified_at = None
    row.save()


@step
def swap_domains(a: int, b: int) -> None:
    first, second = one(Domain, a), one(Domain, b)
    names = first.member_domain, second.member_domain
    if first != second:
        _rename(first, "swapping.example")
        _rename(second, names[0])
        _rename(first, names[1])


def _rename(row: Domain, member_domain: str) -> None:
    row.member_domain = member_domain
    row.save()


@step
def add_connection(a: int, b: int) -> None:
    network = ("192.0.2.0/24", "192.0.2.7/32", "198.51.100.0/24")[b % 3]
    factories.make_connection(
        one(Organisation, a),
        proof=list(Proof)[b % 4],
        source_networks=[network, "2001:db8::/48"],
        certificate_name=f"mx{b % 2}.example",
        provider=Provider.MICROSOFT_365 if b % 2 else "",
        next_hop_host="mx.example" if b % 3 else "",
    )


@step
def edit_connection(a: int, b: int) -> None:
    connections.edit(
        one(Connection, a),
        proof=Proof.SOURCE,
        source_networks=[f"203.0.{113 + b}.0/24"],
        next_hop_host="203.0.114.9",
        by=None,
    )


@step
def dispute_certificate(a: int, b: int) -> None:
    row = one(Connection, a)
    row.proof, row.certificate_name = Proof.CERTIFICATE, f"mx{b % 2}.example"
    row.save()


@step
def suspend_connection(a: int, b: int) -> None:
    connections.suspend(one(Connection, a), reason="x", by=None)


@step
def resume_connection(a: int, b: int) -> None:
    connections.resume(one(Connection, a), by=None)


@step
def delete_connection(a: int, b: int) -> None:
    one(Connection, a).delete()


@step
def add_person(a: int, b: int) -> None:
    organisation, address = _place(b)
    people.add(organisation, address=address, name=f"P {b}", by=None)


@step
def edit_person(a: int, b: int) -> None:
    people.edit(one(Person, a), name=f"Q {b}", is_ex_directory=bool(b % 2), by=None)


@step
def move_person(a: int, b: int) -> None:
    row = one(Person, a)
    row.organisation = one(Organisation, b)
    row.save()


@step
def suspend_person(a: int, b: int) -> None:
    people.suspend(one(Person, a), reason="x", by=None)


@step
def resume_person(a: int, b: int) -> None:
    people.resume(one(Person, a), by=None)


@step
def end_sessions(a: int, b: int) -> None:
    sessions.end_sessions(one(Person, a), by=None)


@step
def delete_person(a: int, b: int) -> None:
    """Deletes the grants too, by cascade."""
    one(Person, a).delete()


@step
def give_role(a: int, b: int) -> None:
    role = RoleName.MEMBER if a % 4 == 3 else RoleName.ADMINISTRATOR
    roles.give(one(Person, a), role, organisation=one(Organisation, b), by=None)


@step
def take_role(a: int, b: int) -> None:
    row = one(OrganisationRole, a)
    # Of the last administrator the verb would not.
    if b % 2:
        row.delete()
    else:
        held = RoleName(row.role)
        roles.take(row.person, held, organisation=row.organisation, by=None)


@step
def give_roles(a: int, b: int) -> None:
    """Inserts several at a time, without Django's signals."""
    organisation = one(Organisation, a)
    known = organisation.roles.values_list("person_id", flat=True)
    OrganisationRole.objects.bulk_create(
        OrganisationRole(
            person=person, organisation=organisation, role=RoleName.ADMINISTRATOR
        )
        for person in Person.objects.exclude(pk__in=list(known)).order_by("pk")[: b + 1]
    )


@step
def change_roles(a: int, b: int) -> None:
    rows = OrganisationRole.objects.filter(organisation=one(Organisation, a))
    members = Person.objects.filter(organisation_roles__role=RoleName.MEMBER)
    rows.exclude(person__in=members.values("pk")).update(role=RoleName.MEMBER)


@step
def add_group_mailbox(a: int, b: int) -> None:
    organisation, address = _place(b)
    mailboxes.add_group(organisation, address=f"g{address}", name=f"G {b}", by=None)


@step
def suspend_mailbox(a: int, b: int) -> None:
    mailboxes.suspend(one(Mailbox, a), reason="x", by=None)


@step
def resume_mailbox(a: int, b: int) -> None:
    mailboxes.resume(one(Mailbox, a), by=None)


@step
def rename_mailbox(a: int, b: int) -> None:
    row = one(Mailbox, a)
    row.address = f"moved{b}.{row.pk}@court.secure.example"
    row.save()


@step
def swap_mailboxes(a: int, b: int) -> None:
    first, second = one(Mailbox, a), one(Mailbox, b)
    if first != second:
        mine, theirs = first.address, second.address
        Mailbox.objects.filter(pk=first.pk).update(address="swapping@x.example")
        Mailbox.objects.filter(pk=second.pk).update(address=mine)
        Mailbox.objects.filter(pk=first.pk).update(address=theirs)


@step
def delete_mailbox(a: int, b: int) -> None:
    one(Mailbox, a).delete()


@step
def grant(a: int, b: int) -> None:
    group = Mailbox.objects.filter(kind=MailboxKind.GROUP).order_by("pk")
    if group:
        mailbox = group[a % len(group)]
        mailboxes.grant(mailbox, one(Person, b), can_send=bool(a % 2), by=None)


@step
def revoke(a: int, b: int) -> None:
    row = one(Grant, a)
    mailboxes.revoke(row.mailbox, row.person, by=None)


@step
def revoke_all(a: int, b: int) -> None:
    Grant.objects.filter(mailbox=one(Grant, a).mailbox).delete()


@step
def add_alias(a: int, b: int) -> None:
    organisation, address = _place(a)
    target = one(Mailbox, b).address
    aliases.add(organisation, address=f"x{address}", target=target, by=None)


@step
def remove_alias(a: int, b: int) -> None:
    aliases.remove(one(Alias, a), by=None)


@step
def add_list(a: int, b: int) -> None:
    organisation, address = _place(b)
    lists.add(organisation, address=f"l{address}", name=f"L {b}", by=None)


@step
def edit_list(a: int, b: int) -> None:
    lists.edit(one(DistributionList, a), posting=list(Posting)[b % 4], by=None)


@step
def suspend_list(a: int, b: int) -> None:
    lists.suspend(one(DistributionList, a), reason="x", by=None)


@step
def resume_list(a: int, b: int) -> None:
    lists.resume(one(DistributionList, a), by=None)


@step
def add_members(a: int, b: int) -> None:
    addresses = [one(Mailbox, a).address, one(Mailbox, b).address]
    lists.add_members(one(DistributionList, a), addresses=addresses, by=None)


@step
def remove_member(a: int, b: int) -> None:
    row = one(ListMember, a)
    lists.remove_member(row.distribution_list, address=row.address, by=None)


@step
def add_poster(a: int, b: int) -> None:
    lists.add_poster(one(DistributionList, a), address=one(Mailbox, b).address, by=None)


@step
def remove_poster(a: int, b: int) -> None:
    row = one(DistributionList, a)
    lists.remove_poster(row, address=one(Mailbox, b).address, by=None)


@step
def delete_list(a: int, b: int) -> None:
    """Deletes members and posters too, by cascade."""
    one(DistributionList, a).delete()


@step
def give_allowance(a: int, b: int) -> None:
    allowances.give(
        SenderKind.PERSON, one(Person, a).pk, factor=2 + b, reason="x", by=None
    )


@step
def end_allowance(a: int, b: int) -> None:
    allowances.end(one(Allowance, a), by=None)


@step
def stop_sending(a: int, b: int) -> None:
    models: tuple[Any, ...] = (Person, Connection, Organisation)
    sending_stops.stop(one(models[b % 3], a), reason="x", by=None)


@step
def stop_address(a: int, b: int) -> None:
    sending_stops.stop_address(_place(a + b)[1], reason="x", by=None)


@step
def lift_stop(a: int, b: int) -> None:
    sending_stops.lift(one(SendingStop, a), reason="x", by=None)


@step
def set_provider_networks(a: int, b: int) -> None:
    found: list[Any] = [f"40.{92 + 2 * b}.0.0/15"]
    connections.set_provider_networks(list(Provider)[a % 2], found, by=None)


@step
def import_people(a: int, b: int) -> None:
    """Inserts many at a time, without Django's signals."""
    organisation, last = one(Organisation, a), Person.objects.latest("pk").pk
    Person.objects.bulk_create(
        Person(address=f"bulk{last}-{n}@x.example", organisation=organisation)
        for n in range(5)
    )


@step
def suspend_many(a: int, b: int) -> None:
    rows = Person.objects.filter(organisation=one(Organisation, a))
    rows.update(is_active=bool(b % 2))


@step
def delete_many(a: int, b: int) -> None:
    Alias.objects.filter(pk__gte=one(Alias, a).pk).delete()


@step
def undo(a: int, b: int) -> None:
    """Runs a step whose transaction is rolled back."""
    names = [name for name in STEPS if name != "undo"]
    with transaction.atomic():
        take(names[(8 * a + b) % len(names)], a, b)
        transaction.set_rollback(True)
