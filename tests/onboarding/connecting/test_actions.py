"""Domain checks, rehearsals, and links for an IT department."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.registry.actions import domains
from engine.registry.addresses import domain_verification
from engine.registry.credentials import authentication
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Connection,
    Domain,
    Kind,
    Mailbox,
    Organisation,
    Person,
    Proof,
    Provider,
)
from engine.routing import routes
from engine.trace import event_log
from engine.trace.models import EventKind
from onboarding.connecting import (
    actions,
    connection_test_mailbox,
    rehearsal_outcomes,
    rehearsals,
    tasks,
)
from onboarding.connecting.models import (
    DomainCheck,
    Rehearsal,
    StepKey,
    StepState,
)
from portal.demo.dns_server import NameServer
from tests import factories, jobs

JANE = "jane@firm.example.secure.example"


@pytest.fixture
def jane(firm: Organisation) -> Person:
    person = factories.make_person(JANE, firm, everyday_address="jane@home.example")
    factories.make_administrator(person)
    return person


@pytest.fixture
def service(db: None) -> Organisation:
    """The operator's organisation, which owns the community's domain."""
    made = factories.make_organisation(name="Service desk", kind=Kind.OPERATOR)
    factories.make_domain(made, "secure.example")
    return made


@pytest.fixture
def rehearsal(
    firm_connection: Connection, service: Organisation, jane: Person
) -> Rehearsal:
    return actions.start_rehearsal(firm_connection, recipient=JANE, by=jane)


def owner_of(domain: str) -> int | None:
    return routes.current().domains.owner_of(domain)


def step(rehearsal: Rehearsal, key: StepKey):
    return rehearsal.steps.get(key=key)


class TestDomains:
    def test_a_member_adds_one_and_has_mail_in_it_once_it_is_proved(
        self, firm: Organisation, jane: Person, name_server: NameServer
    ) -> None:
        claim = domains.add(firm, member_domain="second.example", by=jane)
        assert owner_of("second.example.secure.example") is None

        name_server.add_text(
            "_postern.second.example", domain_verification.record_text(claim)
        )
        assert actions.check_domain(claim, by=jane).is_good

        assert owner_of("second.example.secure.example") == firm.pk

    def test_one_that_was_proved_stays_when_its_record_goes(
        self, firm: Organisation, name_server: NameServer
    ) -> None:
        own = firm.domains.get()

        check = actions.check_domain(own, by=None)

        own.refresh_from_db()
        assert own.verified_at is not None
        assert "No TXT record" in check.advice

    def test_a_member_holds_few_claims(self, firm: Organisation, jane: Person) -> None:
        for number in range(domains.CLAIMS_LIMIT):
            domains.add(firm, member_domain=f"d{number}.example", by=jane)

        with pytest.raises(PolicyError, match="Verify the domains"):
            domains.add(firm, member_domain="more.example", by=jane)

    def test_a_hosted_organisation_asks_the_helpdesk(
        self, northfield: Organisation, alice: Person
    ) -> None:
        with pytest.raises(PolicyError, match="helpdesk"):
            domains.add(northfield, member_domain="court.secure.example", by=alice)

    def test_the_job_proves_claims_and_drops_old_ones(
        self, firm: Organisation, jane: Person, name_server: NameServer
    ) -> None:
        young = domains.add(firm, member_domain="young.example", by=jane)
        old = domains.add(firm, member_domain="old.example", by=jane)
        Domain.objects.filter(pk=old.pk).update(
            created_at=timezone.now() - tasks.CLAIM_LIFETIME * 2
        )
        name_server.add_text(
            "_postern.young.example", domain_verification.record_text(young)
        )

        tasks.check_claims()
        tasks.check_claims()
        assert OrmQ.objects.count() == 1
        jobs.run_queued()

        young.refresh_from_db()
        assert young.verified_at is not None
        assert not Domain.objects.filter(pk=old.pk).exists()
        assert DomainCheck.objects.get().is_good


class TestRehearsal:
    def test_it_begins_with_every_step_and_a_place_to_write_to(
        self, rehearsal: Rehearsal
    ) -> None:
        assert [s.key for s in rehearsal.steps.all()] == list(StepKey)
        assert Mailbox.objects.filter(
            address=connection_test_mailbox.address()
        ).exists()

    def test_another_must_wait_a_moment(
        self, rehearsal: Rehearsal, jane: Person
    ) -> None:
        with pytest.raises(PolicyError, match="Wait 30 seconds"):
            actions.start_rehearsal(rehearsal.connection, recipient=JANE, by=jane)

    def test_our_message_goes_only_to_their_own_address(
        self, firm_connection: Connection, service: Organisation, bob: Person
    ) -> None:
        with pytest.raises(PolicyError, match="your own verified domains"):
            actions.start_rehearsal(firm_connection, recipient=bob.address, by=None)

    def test_a_fault_ends_what_can_be_tried_from_here(
        self, rehearsal: Rehearsal
    ) -> None:
        connection = rehearsal.connection
        connection.next_hop_host, connection.next_hop_port = "127.0.0.1", 1

        rehearsals.run(rehearsal)

        assert step(rehearsal, StepKey.NAME).state == StepState.PASSED
        assert "firewall" in step(rehearsal, StepKey.CONNECT).fault
        assert step(rehearsal, StepKey.OUT).state == StepState.SKIPPED
        assert step(rehearsal, StepKey.IN).state == StepState.RUNNING

    @pytest.mark.parametrize(
        ("kind", "reply", "state"),
        [
            (EventKind.RELAYED, "250 2.0.0 Taken", StepState.PASSED),
            (EventKind.FAILED, "550 5.1.1 No such user", StepState.FAILED),
            (EventKind.DEFERRED, "451 4.7.1 Greylisted", StepState.RUNNING),
        ],
    )
    def test_our_message_is_followed_in_the_trace(
        self, rehearsal: Rehearsal, kind: EventKind, reply: str, state: StepState
    ) -> None:
        rehearsal.reference = "R1"
        rehearsals.set_step(rehearsal, StepKey.OUT, StepState.RUNNING)
        event_log.save([event_log.event("R1", kind, JANE, reply=reply)])

        rehearsal_outcomes.update(rehearsal)

        assert step(rehearsal, StepKey.OUT).state == state

    def test_their_message_counts_when_it_came_by_this_connection(
        self, rehearsal: Rehearsal
    ) -> None:
        arrive("X1", rehearsal.connection_id + 1)
        rehearsal_outcomes.update(rehearsal)
        assert step(rehearsal, StepKey.IN).state == StepState.RUNNING

        arrive("X2", rehearsal.connection_id)
        rehearsal_outcomes.update(rehearsal)
        assert step(rehearsal, StepKey.IN).state == StepState.PASSED

    @pytest.mark.parametrize(
        ("reply", "fault"),
        [
            ("530 5.7.0 Must issue a STARTTLS command first", "without encryption"),
            ("535 5.7.8 The user name or password is wrong", "wrong user name"),
            ("530 5.7.0 Authentication required", "did not sign in"),
            ("550 5.7.1 <a@b.example> is not an address of Firm", "verified domains"),
            ("550 5.1.1 <x@secure.example> is not", "connection-test@secure.example"),
        ],
    )
    def test_a_refusal_is_told_in_plain_words(
        self, rehearsal: Rehearsal, firm: Organisation, reply: str, fault: str
    ) -> None:
        refuse(firm, reply)

        rehearsal_outcomes.update(rehearsal)

        shown = step(rehearsal, StepKey.IN)
        assert shown.state == StepState.RUNNING
        assert fault in shown.fault

    def test_a_refusal_of_the_neighbour_says_nothing(
        self, rehearsal: Rehearsal, harbour: Organisation
    ) -> None:
        refuse(harbour, "535 5.7.8 The user name or password is wrong")

        rehearsal_outcomes.update(rehearsal)

        assert step(rehearsal, StepKey.IN).fault == ""

    def test_the_job_ends_one_that_waited_long_enough(
        self, rehearsal: Rehearsal
    ) -> None:
        late = timezone.now() - rehearsal_outcomes.PATIENCE - timedelta(minutes=1)
        Rehearsal.objects.update(started_at=late)

        tasks.follow_rehearsals()
        tasks.follow_rehearsals()

        rehearsal.refresh_from_db()
        assert rehearsal.finished_at is not None
        assert "Nothing reached us" in step(rehearsal, StepKey.IN).fault
        assert step(rehearsal, StepKey.OUT).state == StepState.SKIPPED


class TestLinks:
    def test_one_gives_a_password_once_beside_those_that_work(
        self, firm_connection: Connection, jane: Person
    ) -> None:
        link, token = actions.share(firm_connection, name="IT", by=jane)
        found = actions.find_link(token)
        assert found == link

        username, secret = actions.open_link(link)

        assert (
            authentication.authenticate_connection(username, secret) == firm_connection
        )
        with pytest.raises(PolicyError, match="already"):
            actions.open_link(link)
        assert Entry.objects.filter(event="connection.link_opened").count() == 1

    def test_one_that_ended_gives_nothing(
        self, firm_connection: Connection, jane: Person
    ) -> None:
        link, _ = actions.share(firm_connection, name="IT", by=jane)
        actions.revoke_link(link, by=jane)

        with pytest.raises(PolicyError, match="ended"):
            actions.open_link(link)

    def test_a_token_nobody_made_is_no_link(self, db: None) -> None:
        assert actions.find_link("x" * 32) is None

    def test_a_tenant_secret_is_shown_and_noted(self, jane: Person) -> None:
        council = factories.make_organisation(account_type=AccountType.CLOUD_GATEWAY)
        connection = factories.make_connection(
            council,
            proof=Proof.CLOUD,
            provider=Provider.GOOGLE_WORKSPACE,
            tenant_id="ab" * 16,
        )

        assert actions.show_tenant(connection, by=jane) == "ab" * 16
        assert Entry.objects.filter(event="connection.tenant_shown").exists()


def arrive(reference: str, connection_id: int) -> None:
    event_log.save(
        [
            event_log.event(reference, EventKind.RECEIVED, connection_id=connection_id),
            event_log.event(
                reference, EventKind.DELIVERED, connection_test_mailbox.address()
            ),
        ]
    )


def refuse(organisation: Organisation, reply: str) -> None:
    event_log.save(
        [
            event_log.event(
                "N1",
                EventKind.REFUSED,
                reply=reply,
                source="receive",
                organisation_id=organisation.pk,
                sender="a@b.example",
                peer="192.0.2.7",
            )
        ]
    )
