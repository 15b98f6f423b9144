"""Performs each verb and checks who is notified; every verb must be in verbs.py."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

import engine.registry.actions
from engine.registry.actions import (
    aliases,
    api_keys,
    connections,
    domains,
    mailboxes,
    people,
    recovery,
    roles,
    shut_mail,
)
from engine.registry.models import (
    AccountType,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from engine.registry.scopes import Scope
from engine.storage import rules
from engine.storage.exports import mailbox_export
from engine.storage.models import Rule as MailRule
from onboarding.connecting import actions as connecting
from onboarding.first_sign_in import letter_codes
from onboarding.notices.audit_rules import NOTICE_RULES, Audience
from portal.account_admin import actions
from portal.account_admin.models import FactorReset
from tests import factories
from tests.portal.conftest import give_app
from tests.security.intruder import deliver_notices, pass_a_day
from tests.security.verbs import TABLE

MODULES = [
    "onboarding.first_sign_in.letter_codes",
    "onboarding.first_sign_in.passwords",
    "onboarding.letters.welcome_letters",
    "onboarding.connecting.actions",
    "onboarding.first_sign_in.directory_sign_ins",
    "portal.account.actions",
    "portal.account_admin.actions",
    "portal.emergency_access.actions",
    "portal.sessions.actions",
    "engine.storage.rules",
    "engine.storage.exports.mailbox_export",
    "engine.incidents.rescans",
    "engine.incidents.withdrawals",
]
# Queries, and jobs that carry on what a verb has begun.
NO_VERBS = {
    "engine.incidents.withdrawals.can_agree",
    "engine.incidents.withdrawals.check_can_agree",
    "engine.registry.actions.mail_keys.hosted_domains",
    "engine.registry.actions.mail_keys.keep",
    "engine.storage.rules.check_makes_sense",
    "engine.storage.exports.mailbox_export.open_copy",
    "engine.storage.exports.mailbox_export.write",
}


def _verbs() -> Iterator[str]:
    registry = engine.registry.actions
    names = [
        f"{registry.__name__}.{one.name}" for one in iter_modules(registry.__path__)
    ]
    for name in [*names, *MODULES]:
        module: ModuleType = import_module(name)
        for function, found in inspect.getmembers(module, inspect.isfunction):
            is_own = found.__module__ == name and not function.startswith("_")
            takes_actor = "by" in inspect.signature(found).parameters
            if is_own and (takes_actor or name.startswith(registry.__name__)):
                yield f"{name}.{function}"


def test_the_table_names_every_verb_and_no_other() -> None:
    found = set(_verbs()) - NO_VERBS
    told_without_actor = {name for name in TABLE if name not in found and _exists(name)}

    assert sorted(found - set(TABLE)) == [], (
        "say in tests/security/verbs.py who is notified"
    )
    assert sorted(set(TABLE) - found - told_without_actor) == [], "no longer verbs"


def _exists(name: str) -> bool:
    module, _, function = name.rpartition(".")
    return callable(getattr(import_module(module), function, None))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_events_are_heard_by_whom_the_table_says(name: str) -> None:
    rule = TABLE[name]

    for event in rule.events:
        assert NOTICE_RULES[event].to == rule.notified, event
    assert bool(rule.events) == bool(rule.notified)


class World:
    """An organisation with two administrators, a member and a team; and a firm."""

    def __init__(self, northfield: Organisation, alice: Person, bob: Person) -> None:
        self.northfield, self.alice, self.bob = northfield, alice, bob
        self.dora = _administrator("dora@northfield.secure.example", northfield)
        factories.make_mailbox(self.dora)
        bob.everyday_address = "bob@home.example"
        bob.save()
        self.team: Mailbox = factories.make_group_mailbox(
            "listing@northfield.secure.example", northfield
        )
        factories.make_grant(self.team, bob, can_read=True)
        self.hugh = _staff("hugh@secure.example", RoleName.HELPDESK_AGENT)
        self.olive = _staff("olive@secure.example", RoleName.OPERATOR)
        self.otto = _staff("otto@secure.example", RoleName.OPERATOR)
        self.firm = factories.make_organisation(account_type=AccountType.SMTP)
        self.firm_domain = factories.make_domain(self.firm, "firm.example")
        self.jane = _administrator("jane@firm.example.secure.example", self.firm)
        self.june = _administrator("june@firm.example.secure.example", self.firm)
        self.connection = factories.make_connection(self.firm)

    def expected(self, notified: Audience, place: Organisation | None) -> set[str]:
        """Returns the addresses where these audiences are notified."""
        at_firm = {self.jane.address, self.june.address}
        administrators = (
            at_firm if place == self.firm else {self.alice.address, self.dora.address}
        )
        everybody = {
            Audience.OWNER: {"bob@home.example", self.bob.address},
            Audience.OLD_ADDRESS: {"bob@home.example"},
            Audience.ADMINISTRATORS: administrators,
            Audience.OPERATORS: {"olive@home.example", "otto@home.example"},
            Audience.REQUESTER: {"hugh@home.example"},
            Audience.MEMBERS: {self.bob.address, self.alice.address, self.dora.address},
            Audience.READERS: {self.bob.address},
        }
        return set().union(*(everybody[audience] for audience in notified))


def _administrator(address: str, organisation: Organisation) -> Person:
    person = factories.make_person(address, organisation)
    factories.make_administrator(person)
    return person


def _staff(address: str, role: RoleName) -> Person:
    home = address.replace("secure", "home")
    person = factories.make_person(address, everyday_address=home)
    factories.make_staff(person, role)
    return person


@pytest.fixture
def world(northfield: Organisation, alice: Person, bob: Person) -> World:
    deliver_notices()  # discards earlier notices
    return World(northfield, alice, bob)


def _request_address_change(w: World):
    asked = {"address": "new@home.example", "reason": "Lost"}
    return recovery.request_address_change(w.bob, **asked, by=w.hugh)


def _reset_factor(w: World) -> FactorReset:
    give_app(w.bob)
    actions.reset_second_factor(w.bob, reason="Lost", by=w.hugh)
    return FactorReset.objects.get()


def _disown_reset(w: World) -> None:
    actions.reset_second_factor(w.bob, reason="Lost", by=w.dora)
    deliver_notices()
    actions.disown_factor_reset(FactorReset.objects.get(), by=None)


def _shut_mailbox(w: World) -> None:
    shut_mail.shut_after_factor_reset(w.bob, by=w.dora, agreed_by=None)


def _add_key(w: World):
    return api_keys.add(
        w.northfield, name="Cases", scopes=[Scope.READ_MESSAGES], by=w.alice
    )[0]


def _change_own_address(w: World) -> None:
    recovery.change_own_address(w.bob, address="new@home.example", by=w.bob)
    Person.objects.filter(pk=w.bob.pk).update(everyday_address="bob@home.example")


def _add_person(w: World) -> Person:
    return people.add(
        w.northfield, address="jo@northfield.secure.example", name="Jo", by=w.alice
    )


def _add_rule(w: World) -> MailRule:
    rule = MailRule(
        mailbox=w.bob.mailbox,
        name="Copies",
        subject_contains="x",
        forward_to=w.alice.address,
    )
    return rules.save(rule, by=w.bob)


Does = Callable[[World], object]
R = "engine.registry.actions."
O = "portal.account_admin.actions."  # noqa: E741
C = "onboarding.connecting.actions."
DOES: dict[str, Does] = {
    f"{R}aliases.add": lambda w: aliases.add(
        w.northfield,
        address="desk@northfield.secure.example",
        target=w.alice.address,
        by=w.alice,
    ),
    f"{R}api_keys.add": _add_key,
    f"{R}api_keys.agree": lambda w: api_keys.agree(
        _add_key(w), reason="Ours", by=w.dora
    ),
    f"{R}connections.add": lambda w: connections.add(
        w.firm, proof="credential", next_hop_host="mx.firm.example", by=w.olive
    ),
    f"{R}connections.edit": lambda w: connections.edit(
        w.connection, next_hop_host="mx.evil.example", by=w.olive
    ),
    f"{R}connections.add_credential": lambda w: connections.add_credential(
        w.connection, by=w.jane
    ),
    f"{R}connections.resume": lambda w: connections.resume(w.connection, by=w.jane),
    f"{R}domains.add": lambda w: domains.add(
        w.firm, member_domain="firm2.example", by=w.jane
    ),
    f"{R}domains.verify": lambda w: domains.verify(w.firm_domain, by=w.olive),
    f"{R}mailboxes.add_group": lambda w: mailboxes.add_group(
        w.firm, address="desk@firm.example", name="Desk", by=w.jane
    ),
    f"{R}mailboxes.grant": lambda w: mailboxes.grant(
        w.team, w.alice, can_read=True, by=w.alice
    ),
    f"{R}people.end_password": lambda w: people.end_password(w.bob, by=w.hugh),
    f"{R}people.revoke_app_password": lambda w: people.revoke_app_password(
        factories.make_app_password(w.bob, "1" * 64), by=w.hugh
    ),
    f"{R}recovery.change_own_address": _change_own_address,
    f"{R}recovery.request_address_change": _request_address_change,
    f"{R}recovery.refuse_address_change": lambda w: recovery.refuse_address_change(
        _request_address_change(w), by=w.bob
    ),
    f"{R}shut_mail.shut_after_factor_reset": _shut_mailbox,
    f"{R}roles.give": lambda w: roles.give(
        w.bob, RoleName.ADMINISTRATOR, organisation=w.northfield, by=w.alice
    ),
    f"{R}roles.give_staff": lambda w: roles.give_staff(
        w.bob, RoleName.AUDITOR, reason="Stands in", by=w.olive
    ),
    f"{O}send_sign_in_link": lambda w: actions.send_sign_in_link(w.bob, by=w.hugh),
    f"{O}reset_second_factor": _reset_factor,
    f"{O}agree_to_factor_reset": lambda w: actions.agree_to_factor_reset(
        _reset_factor(w), by=w.alice
    ),
    f"{O}stop_factor_reset": lambda w: actions.stop_factor_reset(
        _reset_factor(w), by=w.bob
    ),
    f"{O}disown_factor_reset": _disown_reset,
    "onboarding.first_sign_in.letter_codes.issue": lambda w: letter_codes.issue(
        _add_person(w), by=w.alice
    ),
    f"{C}share": lambda w: connecting.share(w.connection, name="IT", by=w.jane),
    "engine.storage.rules.save": _add_rule,
    "engine.storage.exports.mailbox_export.start": lambda w: mailbox_export.start(
        w.bob.mailbox, folder=None, by=w.bob
    ),
}
AT_FIRM = ("connections", "domains", "add_group", C)


@pytest.mark.parametrize("name", sorted(DOES))
def test_those_who_must_hear_do(world: World, name: str) -> None:
    DOES[name](world)

    is_at_firm = any(part in name for part in AT_FIRM)
    place = world.firm if is_at_firm else world.northfield
    assert world.expected(TABLE[name].notified, place) <= deliver_notices()


def test_what_takes_effect_by_the_clock_is_heard_too(world: World) -> None:
    _request_address_change(world)
    deliver_notices()

    pass_a_day()

    heard = deliver_notices()
    assert {"bob@home.example", "new@home.example", world.bob.address} <= heard
    assert {world.alice.address, world.dora.address} <= heard


def test_where_the_administrator_is_alone_the_operators_hear(
    world: World, harbour: Organisation, charlie: Person
) -> None:
    team = factories.make_group_mailbox("desk@harbour.secure.example", harbour)

    mailboxes.grant(team, charlie, can_read=True, by=charlie)

    assert {"olive@home.example", "otto@home.example"} <= deliver_notices()


def test_a_neighbour_hears_nothing(
    world: World, harbour: Organisation, charlie: Person
) -> None:
    for name in (f"{R}recovery.request_address_change", f"{O}reset_second_factor"):
        DOES[name](world)

    assert charlie.address not in deliver_notices()


def test_operators_hear_of_the_accounts_of_staff(world: World) -> None:
    people.end_password(world.hugh, by=world.olive)

    assert deliver_notices() == {
        "hugh@home.example",
        "olive@home.example",
        "otto@home.example",
    }
