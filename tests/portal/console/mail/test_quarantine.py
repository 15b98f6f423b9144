from __future__ import annotations

import io

import pytest
from django.test import Client

from engine.antivirus import quarantine
from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict, VerdictState
from engine.audit import openings, tasks
from engine.audit.models import Entry
from engine.blobs import local_store
from engine.blobs.interface import Kind
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.registry.models import Organisation, Person, RoleName
from tests import factories
from tests.portal.conftest import SignIn


@pytest.fixture
def quarantined(northfield: Organisation, tmp_path, settings) -> QuarantinedMessage:
    settings.POSTERN = settings.POSTERN.model_copy(update={"var": tmp_path})
    with quarantine.copied(io.BytesIO(b"Secret body")) as copy:
        return quarantine.keep(
            copy,
            reference="R1",
            verdict=Verdict(VerdictState.INFECTED, "Eicar-Test", "clamd"),
            envelope=Envelope.simple(Address.parse("bob@northfield.secure.example")),
            organisation_id=northfield.pk,
        )


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    """The browser of an operator."""
    return signed_in(olive, second_factor=True)


def test_details_say_everything_but_what_is_in_it(
    staff_client: Client, quarantined: QuarantinedMessage
) -> None:
    page = staff_client.get(f"/admin/quarantine/{quarantined.pk}/").content.decode()

    assert quarantined.digest in page
    assert "bob@northfield.secure.example" in page
    assert "Secret body" not in page


def test_who_looks_at_one_is_in_the_audit_trail(
    staff_client: Client, quarantined: QuarantinedMessage, olive: Person
) -> None:
    openings.forget_known()
    for _ in range(2):
        staff_client.get(f"/admin/quarantine/{quarantined.pk}/")

    tasks.append_openings()

    entry = Entry.objects.get(event="quarantine.viewed")
    assert entry.subject_key == str(quarantined.pk)
    assert (entry.by_key, entry.detail["by"]) == (str(olive.pk), "console")
    assert entry.organisation_key == str(quarantined.organisation_id)


@pytest.mark.parametrize("query", ["eicar", "bob@", "r1"])
def test_it_is_found(
    staff_client: Client, quarantined: QuarantinedMessage, query: str
) -> None:
    [(section, _)] = staff_client.get(f"/admin/quarantine/?q={query}").context[
        "sections"
    ]

    assert [row[0].text for row in section.table.rows] == ["Eicar-Test"]


def test_deleting_destroys_the_copy_and_is_remembered(
    staff_client: Client,
    quarantined: QuarantinedMessage,
    django_capture_on_commit_callbacks,
) -> None:
    path = local_store.folder(Kind.QUARANTINE) / quarantined.path

    with django_capture_on_commit_callbacks(execute=True):
        staff_client.post(
            f"/admin/quarantine/{quarantined.pk}/delete/", {"reason": "Looked at."}
        )

    assert not path.exists()
    assert not QuarantinedMessage.objects.exists()
    detail = Entry.objects.get(event="quarantine.deleted").detail
    assert (detail["reason"], detail["digest"]) == ("Looked at.", quarantined.digest)


def test_auditor_deletes_nothing(
    signed_in: SignIn, quarantined: QuarantinedMessage
) -> None:
    person = factories.make_person("ada@secure.example")
    factories.make_staff(person, RoleName.AUDITOR)
    client = signed_in(person, second_factor=True)

    assert client.get(f"/admin/quarantine/{quarantined.pk}/").status_code == 200
    page = client.post(
        f"/admin/quarantine/{quarantined.pk}/delete/", {"reason": "Mine"}
    )
    assert page.status_code == 403
