"""Permissions: every URL about members, by staff role."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from engine.registry.models import (
    Connection,
    DistributionList,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from portal.console.member_urls import urlpatterns
from tests import factories
from tests.portal.conftest import SignIn, make_session

VETTING, AGENT, OPERATOR, EDITOR, AUDITOR = (
    RoleName.VETTING_OFFICER,
    RoleName.HELPDESK_AGENT,
    RoleName.OPERATOR,
    RoleName.GUIDE_EDITOR,
    RoleName.AUDITOR,
)
STAFF = (VETTING, AGENT, OPERATOR, EDITOR, AUDITOR)
READERS = {VETTING, AGENT, OPERATOR, AUDITOR}
PEOPLE = {AGENT, OPERATOR}
OPERATORS = {OPERATOR}
MAY = {
    "organisations": READERS,
    "organisation_add": OPERATORS,
    "organisation": READERS,
    "organisation_edit": OPERATORS,
    "organisation_activate": OPERATORS,
    "organisation_suspend": OPERATORS,
    "organisation_resume": OPERATORS,
    "organisation_close": OPERATORS,
    "organisation_people": READERS,
    "organisation_tickets": {AGENT, AUDITOR},
    "organisation_applications": READERS,
    "organisation_trace": {AGENT, OPERATOR, AUDITOR},
    "organisation_audit": {AUDITOR},
    "domains": READERS,
    "domain_add": OPERATORS,
    "domain": READERS,
    "domain_verify": OPERATORS,
    "domain_remove": OPERATORS,
    "connections": READERS,
    "connection_add": OPERATORS,
    "connection": READERS,
    "connection_edit": OPERATORS,
    "connection_switch": OPERATORS,
    "credential_add": OPERATORS,
    "credential_end": OPERATORS,
    "mailboxes": READERS,
    "mailbox": READERS,
    "mailbox_edit": OPERATORS,
    "mailbox_switch": OPERATORS,
    "lists": READERS,
    "list": READERS,
    "list_switch": OPERATORS,
    "people": READERS,
    "staff_add": OPERATORS,
    "person": READERS,
    "person_edit": PEOPLE,
    "person_suspend": PEOPLE,
    "person_resume": PEOPLE,
    "person_link": PEOPLE,
    "person_factor": PEOPLE,
    "person_address": PEOPLE,
    "recovery": PEOPLE,
    "recovery_settle": PEOPLE,
    "person_sessions": PEOPLE,
    "person_sign_out": PEOPLE,
    "session_end": PEOPLE,
    "app_password_end": PEOPLE,
    "staff_role_give": OPERATORS,
    "staff_role_take": OPERATORS,
}


@pytest.fixture
def group(northfield: Organisation, bob: Person) -> Mailbox:
    mailbox = factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield
    )
    factories.make_grant(mailbox, bob, can_read=True)
    return mailbox


@pytest.fixture
def users(northfield: Organisation, bob: Person) -> DistributionList:
    return factories.make_list(
        "users@northfield.secure.example", northfield, bob.address
    )


@pytest.fixture
def paths(
    firm_connection: Connection,
    firm: Organisation,
    group: Mailbox,
    users: DistributionList,
    bob: Person,
    vera: Person,
) -> dict[str, str]:
    """The URL of every page, by its name."""
    credential = factories.make_connection_credential(firm_connection, "firm", "0" * 64)
    password = factories.make_app_password(bob, "1" * 64)
    session = make_session(bob)
    change = bob.address_changes.create(
        new="bob@home.example", requested_by_name="x", effective_at=timezone.now()
    )
    role = vera.staff_roles.get()
    keys = {
        "connection_id": firm_connection.pk,
        "credential_id": credential.pk,
        "domain_id": firm.domains.get().pk,
    }
    found = {}
    for name in MAY:
        found[name] = reverse(
            f"members:{name}", kwargs=_keys(name, firm, keys, locals())
        )
    return found


def _keys(name: str, firm: Organisation, keys: dict, known: dict) -> dict:
    one = {"pk": firm.pk}
    match name:
        case "organisations" | "organisation_add" | "people" | "staff_add" | "recovery":
            return {}
        case "recovery_settle":
            return {"kind": "address", "pk": known["change"].pk, "answer": "agree"}
        case "domain" | "domain_verify" | "domain_remove":
            return one | {"domain_id": keys["domain_id"]}
        case "connection" | "connection_edit" | "connection_switch" | "credential_add":
            return one | {"connection_id": keys["connection_id"]}
        case "credential_end":
            return one | {
                "connection_id": keys["connection_id"],
                "credential_id": keys["credential_id"],
            }
        case "mailbox" | "mailbox_edit" | "mailbox_switch":
            group = known["group"]
            return {"pk": group.organisation_id, "mailbox_id": group.pk}
        case "list" | "list_switch":
            users = known["users"]
            return {"pk": users.organisation_id, "list_id": users.pk}
        case "session_end":
            return {"pk": known["bob"].pk, "session_id": known["session"].public_id}
        case "app_password_end":
            return {"pk": known["bob"].pk, "key": known["password"].pk}
        case "staff_role_take":
            return {"pk": known["vera"].pk, "key": known["role"].pk}
        case _ if name.startswith(("person", "staff_role")):
            return {"pk": known["bob"].pk}
        case _:
            return one


def test_every_page_is_in_the_table() -> None:
    def names(patterns: list) -> set[str]:
        return {
            name
            for pattern in patterns
            for name in (
                names(pattern.url_patterns)
                if hasattr(pattern, "url_patterns")
                else {pattern.name}
            )
        }

    assert names(urlpatterns) == set(MAY)


@pytest.mark.slow
@pytest.mark.parametrize("role", STAFF)
def test_page_opens_only_for_its_roles(
    signed_in: SignIn, paths: dict[str, str], role: RoleName
) -> None:
    person = factories.make_person("sam@secure.example")
    factories.make_staff(person, role)
    client = signed_in(person, second_factor=True)

    opened = {
        name for name, path in paths.items() if client.get(path).status_code == 200
    }

    assert opened == {name for name, roles in MAY.items() if role in roles}


@pytest.mark.slow
def test_pages_are_closed_to_an_administrator(
    signed_in: SignIn, alice: Person, paths: dict[str, str]
) -> None:
    client = signed_in(alice, second_factor=True)

    assert {client.get(path).status_code for path in paths.values()} == {404}
    assert client.get("/admin/").status_code == 404


@pytest.mark.slow
def test_pages_are_closed_without_a_second_factor(
    signed_in: SignIn, olive: Person, paths: dict[str, str]
) -> None:
    client = signed_in(olive)

    assert {client.get(path).status_code for path in paths.values()} == {302}


@pytest.mark.slow
def test_buttons_are_drawn_for_those_only_who_may_press_them(
    signed_in: SignIn, paths: dict[str, str], vera: Person
) -> None:
    client = signed_in(vera, second_factor=True)

    for name in ("organisation", "person", "connection", "mailbox", "list", "domain"):
        assert (
            b'class="button'
            not in client.get(paths[name]).content.split(b"postern-sheet", 1)[1]
        ), name
