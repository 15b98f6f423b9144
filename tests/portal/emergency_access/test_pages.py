"""The pages of emergency access, from asking to the report."""

from __future__ import annotations

from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from engine.registry.models import Organisation, Person, RoleName
from engine.storage.models import Message
from portal.emergency_access import actions
from portal.emergency_access.models import EmergencyAccess, Status
from tests import factories, jobs
from tests.portal.emergency_access.conftest import Browse, ask

ROOT = "/emergency-access/"


def text_of(client: Client, url: str) -> str:
    page = client.get(url)
    assert page.status_code == 200, (url, page.status_code)
    return page.content.decode()


def test_from_asking_to_the_report(
    alice: Person,
    amy: Person,
    olive: Person,
    bob: Person,
    message: Message,
    browse: Browse,
    northfield: Organisation,
) -> None:
    as_alice, as_amy, as_olive = browse(alice), browse(amy), browse(olive)
    person = text_of(as_alice, f"/organisation/{northfield.pk}/people/{bob.pk}/")
    assert f"{ROOT}ask/{bob.pk}/" in person
    sent = as_alice.post(
        f"{ROOT}ask/{bob.pk}/", {"reason": "The judge waits.", "hours": "2"}
    )
    url = sent["Location"]
    assert "an administrator of the organisation and an operator" in text_of(
        as_alice, url
    )
    assert "waits for your approval" in text_of(
        as_amy, f"/organisation/{northfield.pk}/"
    )
    assert "The judge waits." in text_of(as_amy, ROOT)

    as_amy.post(f"{url}approve/", {"tell": "now", "why_untold": ""})
    assert "Still needed: an operator" in text_of(as_alice, url)
    assert "Requests for emergency access" in text_of(as_olive, "/admin/")
    as_olive.post(f"{url}approve/", {"tell": "now", "why_untold": ""})

    mailbox = reverse("webmail:mailbox", args=[bob.mailbox.pk])
    assert mailbox in text_of(as_alice, url)
    assert mailbox not in text_of(as_amy, url)
    as_alice.get(reverse("webmail:read", args=[message.pk]))
    as_alice.post(f"{url}end/")

    report = text_of(browse(bob), url)
    assert "Emergency access to your mailbox" in report
    assert "Hearing on Monday" in report
    for approver in (as_amy, as_olive):
        seen = text_of(approver, url)
        assert "jane@firm.example" in seen.replace("<wbr>", "")
        assert "Hearing on Monday" not in seen


def test_what_is_missing_from_a_form_is_said(
    alice: Person, amy: Person, olive: Person, bob: Person, browse: Browse
) -> None:
    asked = browse(alice).post(f"{ROOT}ask/{bob.pk}/", {"hours": "73"})
    for error in ("Enter a reason", "72 hours or less"):
        assert error in asked.content.decode()
    access = ask(bob, by=alice)
    url = f"{ROOT}{access.pk}/approve/"

    late = browse(amy).post(url, {"tell": "later", "why_untold": ""})

    assert "Enter why the holder is notified only at the end" in late.content.decode()
    access.refresh_from_db()
    assert access.status == Status.WAITING
    assert not access.approvals.exists()


def test_a_request_that_one_may_not_see_does_not_exist(
    alice: Person,
    amy: Person,
    olive: Person,
    bob: Person,
    charlie: Person,
    hugh: Person,
    browse: Browse,
) -> None:
    access = ask(bob, by=alice)

    for person in (bob, charlie, hugh):
        client = browse(person)
        for rest in ("", "approve/", "refuse/", "end/"):
            url = f"{ROOT}{access.pk}/{rest}"
            assert client.get(url).status_code == 404
            if rest:
                assert client.post(url).status_code == 404
        assert bob.address not in text_of(client, ROOT).replace("<wbr>", "")


def test_a_second_click_changes_nothing(
    opened: EmergencyAccess, amy: Person, browse: Browse
) -> None:
    client = browse(amy)
    for _ in range(2):
        again = client.post(f"{ROOT}{opened.pk}/end/", follow=True)

    assert "done already" in again.content.decode()


def test_the_list_costs_no_query_for_each_request(
    alice: Person,
    amy: Person,
    olive: Person,
    bob: Person,
    browse: Browse,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = browse(alice)
    for _ in range(5):
        actions.end(ask(bob, by=alice), by=alice)
    client.get(ROOT)

    with django_assert_num_queries(6):
        client.get(ROOT)


def test_a_page_asks_of_its_own_request_alone(
    alice: Person,
    amy: Person,
    olive: Person,
    bob: Person,
    browse: Browse,
    northfield: Organisation,
) -> None:
    client = browse(amy)
    url = f"{ROOT}{ask(bob, by=alice).pk}/"
    client.get(url)
    counted = []
    for number in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        counted.append(len(captured))
        holder = factories.make_person(
            f"p{number}@northfield.secure.example", northfield
        )
        factories.make_mailbox(holder)
        ask(holder, by=alice)

    assert counted[0] == counted[1]


def test_the_page_of_one_who_can_only_refuse_offers_that_alone(
    alice: Person, amy: Person, olive: Person, bob: Person, browse: Browse
) -> None:
    access = ask(bob, by=alice)
    url = f"{ROOT}{access.pk}/"
    client = browse(amy)
    client.post(f"{url}approve/", {"tell": "now", "why_untold": ""})

    shown = text_of(client, url)
    assert f"{url}refuse/" in shown
    assert f"{url}approve/" not in shown
    client.post(f"{url}refuse/", {"reason": "He answers his phone."})

    access.refresh_from_db()
    assert access.status == Status.REFUSED


def test_an_auditor_reads_nothing_of_their_own_mailbox_before_they_are_told(
    alice: Person, amy: Person, olive: Person, bob: Person, browse: Browse
) -> None:
    factories.make_staff(bob, RoleName.AUDITOR)
    other = factories.make_person("ada@secure.example")
    factories.make_staff(other, RoleName.AUDITOR)
    access = ask(bob, by=alice)
    actions.approve(access, why_untold="He may delete evidence.", by=amy)
    as_bob, as_other = browse(bob), browse(other)

    def read(client: Client) -> str:
        shown = text_of(client, "/admin/audit/")
        csv = client.get("/admin/audit/entries.csv")
        return shown + b"".join(csv.streaming_content).decode()

    assert "emergency_access" not in read(as_bob)
    actions.approve(access, why_untold="As Amy says.", by=olive)
    assert "emergency_access" not in read(as_bob)
    assert "emergency_access.opened" in read(as_other)
    actions.end(access, by=alice)

    assert "emergency_access.opened" in read(as_bob)


def test_no_mail_quotes_what_was_read(
    opened: EmergencyAccess, alice: Person, message: Message, browse: Browse
) -> None:
    client = browse(alice)
    client.get(reverse("webmail:read", args=[message.pk]))
    client.get(reverse("webmail:part", args=[message.pk, "2"]))
    actions.end(opened, by=alice)

    jobs.run_queued()

    bodies = [one.body for one in mail.outbox]
    assert any("Message, received" in body for body in bodies)
    assert "m.." not in "".join(bodies)
    for secret in ("Hearing", "Bundle", "jane@firm", "MARKER"):
        assert secret not in "".join(bodies)
