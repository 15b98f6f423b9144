from __future__ import annotations

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import (
    AccountType,
    Connection,
    Organisation,
    OrganisationStatus,
    Person,
    Proof,
    Provider,
    UnprovenMail,
)
from tests import factories
from tests.portal.conftest import SignIn


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    """The browser of an operator."""
    return signed_in(olive, second_factor=True)


def listed(staff_client: Client, query: str) -> list[str]:
    sections = staff_client.get(f"/admin/organisations/{query}").context["sections"]
    table = sections[-1][0].table
    return [row[0].text for row in table.rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Firm Solicitors", "Harbour Chambers", "Northfield Court"]),
        ("?q=north", ["Northfield Court"]),
        ("?q=harbour.secure", ["Harbour Chambers"]),
        ("?kind=court", ["Northfield Court"]),
        ("?type=smtp", ["Firm Solicitors"]),
        ("?status=suspended", []),
        ("?town=york&q=north", []),
        ("?kind=nonsense", []),
    ],
)
def test_organisations_are_found(
    staff_client: Client, northfield, harbour, firm, query: str, found: list[str]
) -> None:
    assert listed(staff_client, query) == found


def test_empty_list_says_what_to_do(staff_client: Client) -> None:
    assert (
        b"Approve an application, or add one"
        in staff_client.get("/admin/organisations/").content
    )
    assert b"Remove a filter" in staff_client.get("/admin/organisations/?q=zz").content


def test_list_asks_as_much_for_many_as_for_few(
    staff_client: Client, django_assert_max_num_queries
) -> None:
    for number in range(60):
        made = factories.make_organisation()
        factories.make_domain(made, f"o{number}.secure.example")

    with django_assert_max_num_queries(24):
        page = staff_client.get("/admin/organisations/")

    assert page.context["links"]["next"]


def test_people_of_one_are_read_together(
    staff_client: Client, northfield: Organisation, django_assert_max_num_queries
) -> None:
    for number in range(60):
        factories.make_person(f"p{number}@northfield.secure.example", northfield)

    with django_assert_max_num_queries(25):
        page = staff_client.get(f"/admin/organisations/{northfield.pk}/people/")

    assert page.context["links"]["next"]


def test_operator_adds_one_and_gives_it_a_domain(staff_client: Client) -> None:
    fields = {"name": "Ashgrove", "kind": "charity", "account_type": "smtp"}
    added = staff_client.post("/admin/organisations/add/", fields)
    made = Organisation.objects.get(name="Ashgrove")
    page = f"/admin/organisations/{made.pk}/"

    staff_client.post(f"{page}domains/add/", {"member_domain": "ashgrove.example"})
    staff_client.post(f"{page}activate/", {"reason": "Known to us."})

    made.refresh_from_db()
    assert added.url == f"{page}domains/"
    assert made.status == OrganisationStatus.ACTIVE
    assert made.domains.get().community_domain == "ashgrove.example.secure.example"


def test_exception_pair_is_agreed_to(staff_client: Client, firm: Organisation) -> None:
    pair = {"member_domain": "org.example", "community_domain": "org.secure.example"}

    staff_client.post(f"/admin/organisations/{firm.pk}/domains/add/", pair)

    assert firm.domains.filter(community_domain="org.secure.example").exists()


def test_suspension_needs_a_reason_and_leaves_it_in_the_trail(
    staff_client: Client, firm: Organisation
) -> None:
    path = f"/admin/organisations/{firm.pk}/suspend/"

    assert b"Enter a reason" in staff_client.post(path).content
    staff_client.post(path, {"reason": "Unpaid."})

    firm.refresh_from_db()
    assert firm.status == OrganisationStatus.SUSPENDED
    entry = Entry.objects.filter(event="organisation.suspended").get()
    assert entry.detail == {"reason": "Unpaid."}
    assert entry.by_name == "olive@secure.example"


def test_suspension_offers_to_end_the_app_passwords_of_its_people(
    staff_client: Client, firm: Organisation
) -> None:
    path = f"/admin/organisations/{firm.pk}/suspend/"
    tom = factories.make_person("tom@firm.example.secure.example", firm)
    kept = factories.make_app_password(tom, "1" * 64)
    page = staff_client.get(path).content.decode()
    assert "Also end every app password" in page
    assert "Sessions do not come back" in page

    staff_client.post(path, {"reason": "Break-in.", "ends_app_passwords": "on"})

    kept.refresh_from_db()
    assert kept.revoked_at is not None
    entry = Entry.objects.get(event="organisation.suspended")
    assert entry.detail == {"reason": "Break-in.", "app_passwords_ended": 1}


def test_what_the_workflow_forbids_is_said(
    staff_client: Client, firm: Organisation
) -> None:
    page = staff_client.post(
        f"/admin/organisations/{firm.pk}/resume/", {"reason": "Why not"}
    )

    assert "so it cannot become" in page.content.decode()


def test_edit_sets_the_organisation_above(
    staff_client: Client, firm: Organisation, harbour: Organisation
) -> None:
    fields = {"name": "Firm LLP", "kind": "law_firm", "town": "Hull"}
    path = f"/admin/organisations/{firm.pk}/edit/"

    staff_client.post(path, fields | {"parent": harbour.pk, "mfa_required": "on"})
    circle = staff_client.post(path, fields | {"parent": firm.pk})

    firm.refresh_from_db()
    assert (firm.name, firm.town, firm.parent) == ("Firm LLP", "Hull", harbour)
    assert firm.mfa_required
    assert "cannot belong to itself" in circle.content.decode()


def test_domain_taken_as_proved_says_how(
    staff_client: Client, firm: Organisation
) -> None:
    domain = firm.domains.get()
    page = f"/admin/organisations/{firm.pk}/domains/{domain.pk}/"

    staff_client.post(f"{page}verify/", {"reason": "Letter from the council."})

    entry = Entry.objects.filter(event="domain.verified").get()
    assert entry.detail["reason"] == "Letter from the council."


def test_domain_with_addresses_stays(
    staff_client: Client, northfield: Organisation, bob: Person
) -> None:
    domain = northfield.domains.get()
    page = f"/admin/organisations/{northfield.pk}/domains/{domain.pk}/"

    said = staff_client.post(f"{page}remove/").content.decode()

    assert "still has addresses" in said
    assert northfield.domains.exists()


def test_neighbours_domain_is_not_under_the_organisation(
    staff_client: Client, firm: Organisation, harbour: Organisation
) -> None:
    other = harbour.domains.get().pk

    assert (
        staff_client.get(f"/admin/organisations/{firm.pk}/domains/{other}/").status_code
        == 404
    )


def connection_fields(**over: object) -> dict[str, object]:
    fields = {"name": "Main", "proof": "credential", "next_hop_host": "mx.firm.example"}
    return fields | {"next_hop_port": 25, "unproven_mail": "accept"} | over


def test_password_is_shown_once(
    staff_client: Client, firm: Organisation, firm_connection: Connection
) -> None:
    page = f"/admin/organisations/{firm.pk}/connections/{firm_connection.pk}/"

    shown = staff_client.post(f"{page}passwords/add/")
    credential = firm_connection.credentials.get()

    assert credential.username in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert credential.digest not in shown.content.decode()
    staff_client.post(f"{page}passwords/{credential.pk}/end/")
    credential.refresh_from_db()
    assert credential.revoked_at


def test_connection_to_google_gets_a_tenant_made_here(
    staff_client: Client, firm: Organisation
) -> None:
    path = f"/admin/organisations/{firm.pk}/connections/add/"

    staff_client.post(
        path, connection_fields(proof="cloud", provider="google_workspace")
    )

    made = firm.connections.get()
    assert (made.proof, made.provider) == (Proof.CLOUD, Provider.GOOGLE_WORKSPACE)
    assert len(made.tenant_id) == 32
    page = staff_client.get(
        f"/admin/organisations/{firm.pk}/connections/{made.pk}/edit/"
    )
    assert made.tenant_id not in page.content.decode()


def test_what_is_done_with_mail_that_fails_is_set_and_shown(
    staff_client: Client, firm: Organisation, firm_connection: Connection
) -> None:
    page = f"/admin/organisations/{firm.pk}/connections/{firm_connection.pk}/"
    assert UnprovenMail.ACCEPT.label in staff_client.get(page).content.decode()

    staff_client.post(f"{page}edit/", connection_fields(unproven_mail="hold"))

    assert UnprovenMail.HOLD.label in staff_client.get(page).content.decode()
    entry = Entry.objects.get(event="connection.edited")
    assert entry.detail["unproven_mail"] == ["accept", "hold"]


def test_connection_that_proves_nothing_is_refused(
    staff_client: Client, firm: Organisation
) -> None:
    path = f"/admin/organisations/{firm.pk}/connections/add/"

    for over in (
        {"proof": "source"},
        {"proof": "source", "source_networks": "0.0.0.0/0"},
        {"proof": "cloud"},
        {"proof": "cloud", "provider": "microsoft_365", "tenant_id": "nonsense"},
    ):
        page = staff_client.post(path, connection_fields(**over))
        assert page.status_code == 200

    assert not firm.connections.exists()


def test_connection_is_suspended_and_resumed(
    staff_client: Client, firm: Organisation, firm_connection: Connection
) -> None:
    path = f"/admin/organisations/{firm.pk}/connections/{firm_connection.pk}/switch/"

    staff_client.post(path, {"reason": "Noisy."})
    firm_connection.refresh_from_db()
    was_active = firm_connection.is_active
    staff_client.post(path, {"reason": "Quiet again."})

    firm_connection.refresh_from_db()
    assert (was_active, firm_connection.is_active) == (False, True)
    last = Entry.objects.filter(event="connection.resumed").get()
    assert last.detail == {"reason": "Quiet again."}


def test_mailbox_gets_more_room(
    staff_client: Client, northfield: Organisation, bob: Person
) -> None:
    page = f"/admin/organisations/{northfield.pk}/mailboxes/{bob.mailbox.pk}/"

    staff_client.post(
        f"{page}edit/", {"name": "Bob", "quota": "12.5", "is_published": "on"}
    )

    bob.mailbox.refresh_from_db()
    assert bob.mailbox.quota_bytes == int(12.5 * 1024**3)


@pytest.mark.parametrize("account_type", AccountType)
def test_each_account_type_has_its_pages(
    staff_client: Client, db: None, account_type: AccountType
) -> None:
    made = factories.make_organisation(account_type=account_type)

    for tab in ("", "people/", "domains/", "connections/", "mailboxes/", "lists/"):
        assert (
            staff_client.get(f"/admin/organisations/{made.pk}/{tab}").status_code == 200
        )


def test_namesakes_who_may_use_a_mailbox_are_told_apart(
    staff_client: Client, northfield: Organisation, bob: Person
) -> None:
    group = factories.make_group_mailbox("duty@northfield.secure.example", northfield)
    other = factories.make_person(
        "b2@northfield.secure.example", northfield, name=bob.name
    )
    for person in (bob, other):
        factories.make_grant(group, person, can_read=True)

    page = staff_client.get(
        f"/admin/organisations/{northfield.pk}/mailboxes/{group.pk}/"
    ).content.decode()

    assert f"<small>{bob.address}</small>" in page
    assert f"<small>{other.address}</small>" in page
