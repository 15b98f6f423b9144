"""An administrator finds what the organisation was refused, by the quoted reference."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from engine.mail import advice
from engine.registry.models import Organisation, Person
from engine.trace import event_log
from engine.trace.models import Event, EventKind
from tests.portal.conftest import SignIn, sign_in
from tests.portal.organisation.conftest import Path
from tests.portal.organisation.mail.test_trace import references, refuse, send

pytestmark = pytest.mark.django_db

VIRUS = "554 5.7.1 The virus scanner found Eicar; nothing was sent"
REFERENCE = "0123456789ABCDEF"


def trace_refusal(
    organisation: Organisation,
    reference: str = REFERENCE,
    *,
    recipient: str = "kim@harbour.secure.example",
    reply: str = VIRUS,
    days: int = 0,
) -> None:
    detail = {
        "reply": reply,
        "sender": "jane@northfield.secure.example",
        "source": "receive",
        "organisation_id": organisation.pk,
        "peer": "192.0.2.7",
        "command": "DATA",
    }
    at = timezone.now() - timedelta(days=days)
    event_log.insert_refusals([(reference, recipient, detail, organisation.pk)], at=at)


def test_the_quoted_reference_opens_the_page(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    reference = refuse(alice, 1)

    page = admin_client.get(
        path_to(f"trace/?reference={reference.lower()}"), follow=True
    )

    assert page.context["story"].reference == reference
    text = page.content.decode()
    assert "It was not delivered to anybody" in text
    assert "nobody1@" in text
    assert "Check its spelling" in text
    assert "Secret" not in text
    again = admin_client.get(path_to(f"trace/{reference.lower()}/"))
    assert again.status_code == 200


def test_a_virus_reads_as_a_virus(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    trace_refusal(northfield)

    page = admin_client.get(path_to(f"trace/{REFERENCE}/"))

    [step] = page.context["story"].steps
    assert step.advice == advice.VIRUS
    assert advice.VIRUS in page.content.decode()
    assert ("From the address", "192.0.2.7") in step.facts


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("shown=refused", True),
        ("shown=sent", False),
        ("shown=received", False),
        ("recipient=KIM@harbour.secure.example", True),
        ("recipient=bob@harbour.secure.example", False),
        ("sender=jane@northfield.secure.example", True),
        ("sender=kim@northfield.secure.example", False),
        ("reason=virus", True),
        ("reason=VIRUS&shown=refused", True),
        ("reason=quota", False),
        (f"reference={REFERENCE.lower()}", True),
        ("reference=NOTHING", False),
        ("since=2000-01-01&until=9998-12-31", True),
        ("until=2000-01-01", False),
        ("since=2999-01-01", False),
    ],
)
def test_search(
    admin_client: Client,
    path_to: Path,
    northfield: Organisation,
    query: str,
    is_found: bool,
) -> None:
    trace_refusal(northfield)

    assert (REFERENCE in references(admin_client, path_to, query)) is is_found


def test_refused_recipients_of_one_message_are_one_line(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    for number in range(3):
        trace_refusal(northfield, recipient=f"p{number}@harbour.secure.example")

    [line] = admin_client.get(path_to("trace/")).context["lines"]

    assert (line.recipient, line.number) == ("p0@harbour.secure.example", 3)
    assert line.statuses == [("Refused", 3)]


def test_no_other_organisation_sees_a_refusal(
    admin_client: Client,
    path_to: Path,
    charlie: Person,
    harbour: Organisation,
    northfield: Organisation,
) -> None:
    """Not even the one that the message was for."""
    trace_refusal(northfield)
    trace_refusal(harbour, "THEIRS")
    assert references(admin_client, path_to) == {REFERENCE}
    assert admin_client.get(path_to("trace/THEIRS/")).status_code == 404
    theirs = sign_in(Client(), charlie, second_factor=True)
    own = f"/organisation/{harbour.pk}/trace/"
    assert theirs.get(f"{own}{REFERENCE}/").status_code == 404
    lines = theirs.get(own).context["lines"]
    assert [line.reference for line in lines] == ["THEIRS"]


def test_a_refused_recipient_of_accepted_mail_is_the_senders_matter(
    signed_in: SignIn, alice: Person, charlie: Person, harbour: Organisation
) -> None:
    reference = send(alice, charlie)
    trace_refusal(alice.organisation, reference, reply="550 5.1.1 No such address")
    theirs = signed_in(charlie, second_factor=True)

    page = theirs.get(f"/organisation/{harbour.pk}/trace/{reference}/")

    assert {step.recipient for step in page.context["story"].steps} == {
        "",
        charlie.address,
    }


def test_a_claim_to_be_the_organisation_is_not_its_own_refusal(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    detail = {"reply": "530 5.7.0 No", "organisation_id": northfield.pk}
    event_log.insert_refusals(
        [("CLAIM", "", detail | {"is_claim": True}, None)], at=timezone.now()
    )
    event_log.insert_refusals([("OLDER", "", detail, None)], at=timezone.now())

    assert admin_client.get(path_to("trace/CLAIM/")).status_code == 404
    # Written by an earlier version, which names the organisation in the detail alone.
    assert admin_client.get(path_to("trace/OLDER/")).status_code == 200
    assert references(admin_client, path_to) == set()


def test_a_quarantined_upload_is_listed(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    event = event_log.event("UPLOAD", EventKind.QUARANTINED, sender="bob@x.example")
    event.refused_for_id = northfield.pk
    event_log.save([event])

    [line] = admin_client.get(path_to("trace/")).context["lines"]

    assert line.statuses[0][0] == "Stopped: a virus"
    assert admin_client.get(path_to("trace/UPLOAD/")).status_code == 200


def test_many_refusals_are_read_page_by_page(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    Event.objects.bulk_create(
        Event(
            reference=f"R{number:05}",
            kind=EventKind.REFUSED,
            at=timezone.now(),
            refused_for_id=northfield.pk,
            detail={"reply": "550 5.1.1 No", "sender": "a@northfield.secure.example"},
        )
        for number in range(2500)
    )
    seen: list[str] = []
    query = "?sender=a@northfield.secure.example"
    for _ in range(60):
        page = admin_client.get(path_to(f"trace/{query}"))
        seen += [line.reference for line in page.context["lines"]]
        if "next" not in page.context["links"]:
            break
        query = page.context["links"]["next"]["href"]

    assert len(seen) == len(set(seen)) == 2500

    nothing = admin_client.get(path_to("trace/?reason=zebra"))
    assert nothing.context["lines"] == []
    assert "Nothing here matches. Older messages may." in nothing.content.decode()
