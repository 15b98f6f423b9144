"""The connection's pages: values, settings, passwords, domains, tests and links."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.template.loader import render_to_string
from django.test import Client

from engine.audit.models import Entry
from engine.registry.addresses import domain_verification
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import (
    AccountType,
    Connection,
    Kind,
    Organisation,
    Person,
    Proof,
    Provider,
    UnprovenMail,
)
from onboarding.connecting import actions, connection_values, setup_guides
from onboarding.connecting.models import Rehearsal, StepState
from portal.demo.dns_server import NameServer
from tests import factories, jobs
from tests.portal.conftest import SignIn

Path = Callable[..., str]
TENANT = "5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61"


@pytest.fixture
def jane(firm: Organisation) -> Person:
    person = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(person)
    return person


@pytest.fixture
def admin_client(signed_in: SignIn, jane: Person) -> Client:
    return signed_in(jane, second_factor=True)


@pytest.fixture
def path_to(firm: Organisation, firm_connection: Connection) -> Path:
    base = f"/organisation/{firm.pk}/connection/{firm_connection.pk}/"
    return lambda rest="": base + rest


@pytest.fixture
def service(db: None) -> Organisation:
    made = factories.make_organisation(name="Service desk", kind=Kind.OPERATOR)
    factories.make_domain(made, "secure.example")
    return made


PAGES = [
    "",
    "settings/server/",
    "settings/password/",
    "settings/source/",
    "settings/certificate/",
    "set-up/postfix/",
    "set-up/postfix/file/",
    "set-up/exim/",
    "set-up/exchange/",
    "password/",
    "share/",
    "test/",
]


@pytest.mark.parametrize("page", PAGES)
def test_administrator_opens_it_and_others_do_not(
    client: Client,
    signed_in: SignIn,
    jane: Person,
    charlie: Person,
    firm: Organisation,
    path_to: Path,
    page: str,
) -> None:
    member = factories.make_person("tom@firm.example.secure.example", firm)

    assert signed_in(jane, second_factor=True).get(path_to(page)).status_code == 200
    assert signed_in(member).get(path_to(page)).status_code == 403
    assert signed_in(charlie, second_factor=True).get(path_to(page)).status_code == 403
    client.logout()
    assert client.get(path_to(page)).status_code == 302


@pytest.mark.parametrize(
    "page", [*PAGES, "settings/cloud/", "tenant/", "set-up/google/"]
)
def test_the_neighbours_connection_is_not_found_among_ones_own(
    signed_in: SignIn,
    charlie: Person,
    harbour: Organisation,
    firm_connection: Connection,
    page: str,
) -> None:
    client = signed_in(charlie, second_factor=True)
    path = f"/organisation/{harbour.pk}/connection/{firm_connection.pk}/{page}"

    assert client.get(path).status_code == 404


def test_the_page_asks_the_same_few_questions_however_much_there_is(
    admin_client: Client,
    path_to: Path,
    firm: Organisation,
    firm_connection: Connection,
    django_assert_max_num_queries,
) -> None:
    for number in range(20):
        factories.make_domain(firm, f"d{number}.example")
        factories.make_connection_credential(firm_connection, f"u{number}", f"{number}")
        Rehearsal.objects.create(connection=firm_connection, recipient="x")

    with django_assert_max_num_queries(26):
        admin_client.get(path_to())


def test_a_new_password_is_shown_once_and_the_old_one_goes_on(
    admin_client: Client, path_to: Path, firm_connection: Connection
) -> None:
    factories.make_connection_credential(
        firm_connection, "firm", generated_secrets.digest("the old one")
    )

    page = admin_client.post(path_to("password/")).content.decode()

    username = firm_connection.credentials.exclude(username="firm").get().username
    shown = re.findall(r'data-copy="password">([^<]+)<', page)
    assert authentication.authenticate_connection(username, shown[0]) == firm_connection
    assert (
        authentication.authenticate_connection("firm", "the old one") == firm_connection
    )
    assert shown[0] not in admin_client.get(path_to()).content.decode()


def test_a_password_is_ended(
    admin_client: Client, path_to: Path, firm_connection: Connection
) -> None:
    one = factories.make_connection_credential(
        firm_connection, "firm", generated_secrets.digest("secret")
    )

    admin_client.post(path_to(f"password/{one.pk}/end/"))

    assert authentication.authenticate_connection("firm", "secret") is None


def test_settings_change_at_once_and_are_audited(
    admin_client: Client, path_to: Path, firm_connection: Connection
) -> None:
    typed = {"next_hop_host": "mx.firm.example", "next_hop_port": "25"}

    assert admin_client.post(path_to("settings/server/"), typed).status_code == 302

    firm_connection.refresh_from_db()
    assert firm_connection.next_hop_host == "mx.firm.example"
    assert Entry.objects.filter(event="connection.edited").exists()


def test_what_is_done_with_mail_that_fails_is_chosen_and_shown(
    admin_client: Client, path_to: Path, firm_connection: Connection
) -> None:
    path = path_to("settings/unproven/")
    assert "fails DMARC or DKIM" in admin_client.get(path).content.decode()

    assert admin_client.post(path, {"unproven_mail": "refuse"}).status_code == 302
    assert admin_client.post(path, {"unproven_mail": "lose"}).status_code == 200

    firm_connection.refresh_from_db()
    assert firm_connection.unproven_mail == UnprovenMail.REFUSE
    assert UnprovenMail.REFUSE.label in admin_client.get(path_to()).content.decode()


@pytest.mark.parametrize(
    ("part", "typed", "sentence"),
    [
        (
            "server",
            {"next_hop_host": "10.0.0.1", "next_hop_port": "25"},
            "can be reached from outside",
        ),
        ("source", {"source_networks": "40.92.1.0/24"}, "All customers of Microsoft"),
        ("certificate", {"certificate_name": "smtp.gmail.com"}, "All customers of"),
    ],
)
def test_settings_that_prove_nothing_are_refused_in_words(
    admin_client: Client,
    path_to: Path,
    firm_connection: Connection,
    part: str,
    typed: dict[str, str],
    sentence: str,
) -> None:
    page = admin_client.post(path_to(f"settings/{part}/"), typed)

    assert sentence in page.content.decode()
    firm_connection.refresh_from_db()
    assert firm_connection.proof == Proof.CREDENTIAL


def test_a_cloud_gateway_enters_its_tenant(
    signed_in: SignIn, firm: Organisation, firm_connection: Connection, jane: Person
) -> None:
    firm.account_type = AccountType.CLOUD_GATEWAY
    firm.save()
    client = signed_in(jane, second_factor=True)
    base = f"/organisation/{firm.pk}/connection/{firm_connection.pk}/"

    client.post(
        base + "settings/cloud/",
        {"provider": Provider.MICROSOFT_365, "tenant_id": TENANT},
    )
    assert client.get(base + "set-up/microsoft/").status_code == 200
    client.post(base + "settings/cloud/", {"provider": Provider.GOOGLE_WORKSPACE})
    firm_connection.refresh_from_db()
    assert client.get(base + "set-up/google/").status_code == 200

    secret = firm_connection.tenant_id
    assert secret not in client.get(base).content.decode()
    assert secret in client.post(base + "tenant/").content.decode()


def test_a_domain_is_added_proved_and_removed(
    admin_client: Client, firm: Organisation, name_server: NameServer
) -> None:
    base = f"/organisation/{firm.pk}/addresses/"
    admin_client.post(base + "add/", {"member_domain": "second.example"})
    claim = firm.domains.get(member_domain="second.example")
    page = f"{base}{claim.pk}/"
    assert (
        domain_verification.record_text(claim)
        in admin_client.get(page).content.decode()
    )

    admin_client.post(page + "check/")
    assert "No TXT record" in admin_client.get(page).content.decode()

    name_server.add_text(
        "_postern.second.example", domain_verification.record_text(claim)
    )
    admin_client.post(page + "check/")
    assert firm.domains.verified().count() == 2
    assert admin_client.post(page + "remove/").status_code == 404


def test_a_test_shows_each_step(
    admin_client: Client,
    path_to: Path,
    firm_connection: Connection,
    service: Organisation,
) -> None:
    firm_connection.next_hop_port = 1
    firm_connection.save()

    response = admin_client.post(
        path_to("test/"), {"recipient": "jane@firm.example"}, follow=True
    )
    running = response.content.decode()
    jobs.run_queued()
    over = admin_client.get(response.request["PATH_INFO"]).content.decode()

    assert "connection-test@secure.example" in running
    assert "firewall" in over
    assert "Not tried" in over
    assert (
        "“Reach it” does not work"
        in admin_client.get(path_to("test/")).content.decode()
    )


def test_a_test_in_which_all_went_well_says_so(
    admin_client: Client,
    path_to: Path,
    firm_connection: Connection,
    service: Organisation,
) -> None:
    rehearsal = actions.start_rehearsal(
        firm_connection, recipient="jane@firm.example", by=None
    )
    rehearsal.steps.update(state=StepState.PASSED)

    page = admin_client.get(path_to(f"test/{rehearsal.pk}/")).content.decode()

    assert "Everything works." in page
    assert "all works" in admin_client.get(path_to("test/")).content.decode()


def test_a_cloud_organisation_is_warned_of_an_authority_of_our_own(
    firm_connection: Connection,
) -> None:
    firm_connection.proof, firm_connection.provider = Proof.CLOUD, "microsoft_365"
    its = replace(
        connection_values.build(firm_connection), authority_url="https://ours.example/"
    )

    def shown(its: connection_values.ConnectionValues) -> str:
        context = {
            "guide": setup_guides.MICROSOFT,
            "values": its,
            "text": "",
            "file": "",
        }
        return render_to_string("organisation/guide_text.html", context)

    assert "public authorities only" in shown(its)
    assert "public authorities only" not in shown(replace(its, authority_url=""))


class TestSharedLink:
    @pytest.fixture
    def path(self, firm_connection: Connection, jane: Person) -> str:
        _, token = actions.share(firm_connection, name="IT", by=jane)
        return f"/organisation/shared/{token}/"

    def test_a_stranger_with_the_link_sees_the_values_and_no_secret(
        self, client: Client, path: str, firm_connection: Connection
    ) -> None:
        for rest in ("", "postfix/", "postfix/file/", "exchange/"):
            response = client.get(path + rest)
            assert response.status_code == 200
            assert response["Cache-Control"] == "private, no-store"
            assert response["Referrer-Policy"] == "same-origin"
        assert not firm_connection.credentials.exists()

    def test_the_button_makes_a_password_once(
        self, client: Client, path: str, firm_connection: Connection
    ) -> None:
        first = client.post(path).content.decode()
        again = client.post(path).content.decode()

        assert 'data-copy="password"' in first
        assert 'data-copy="password"' not in again
        assert "already shown its password" in again
        assert firm_connection.credentials.count() == 1

    def test_one_that_ended_shows_nothing(
        self, client: Client, path: str, firm_connection: Connection, jane: Person
    ) -> None:
        actions.revoke_link(firm_connection.shared_links.get(), by=jane)

        page = client.get(path)

        assert page.status_code == 410
        assert "Firm" not in page.content.decode()
        assert client.get(path + "postfix/").status_code == 404
        assert client.post(path).status_code == 410

    def test_an_invented_link_is_not_found(self, client: Client, db: None) -> None:
        assert client.get("/organisation/shared/invented/").status_code == 404

    def test_the_administrator_gets_its_address_once(
        self, admin_client: Client, path_to: Path
    ) -> None:
        made = admin_client.post(path_to("share/"), {"name": "IT"}).content.decode()

        (url,) = re.findall(r'data-copy="link">([^<]+)<', made)
        assert admin_client.get(url).status_code == 200
        assert url not in admin_client.get(path_to()).content.decode()


def test_every_guide_that_suits_has_its_text(firm_connection: Connection) -> None:
    its = connection_values.build(firm_connection)

    assert [guide.key for guide in setup_guides.guides_for(its)] == [
        "postfix",
        "exim",
        "exchange",
    ]
    for guide in setup_guides.guides_for(its):
        assert its.host in setup_guides.render(guide, its)
