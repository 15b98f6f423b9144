"""The check before sending, by the API."""

from __future__ import annotations

from base64 import b64encode

import pytest
from django.core.management import call_command

from engine.audit.models import Opening
from engine.queue.models import QueuedMessage
from engine.registry.actions import people
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope
from tests import factories
from tests.api.conftest import Key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("firm_connection")]


def letter(bob: Person, *to: str, **over: object) -> dict[str, object]:
    fields = {"mailbox": bob.mailbox.pk, "to": to, "subject": "Bundle", "text": "x"}
    return fields | over


def test_every_finding_comes_with_its_code_and_nothing_is_sent(
    key: Key, northfield: Organisation, bob: Person, charlie: Person
) -> None:
    factories.make_person("c2@northfield.secure.example", northfield, name="Charlie")
    call_command("rebuild_directory", verbosity=0)
    call = key(northfield)
    program = {"name": "run.exe", "content": b64encode(b"MZ").decode()}

    found = call(
        "POST",
        "/messages/preflight/",
        letter(bob, charlie.address, "x@harbour.secure.example", subject=""),
    ).json()
    refused = call(
        "POST",
        "/messages/preflight/",
        letter(bob, charlie.address, attachments=[program]),
    ).json()

    codes = [one["code"] for one in found["findings"]]
    assert codes == ["new_recipient", "same_name", "recipient_refused", "no_subject"]
    assert found["findings"][1]["others"] == ["c2@northfield.secure.example"]
    assert found["can_be_sent"] is refused["can_be_sent"] is False
    assert refused["findings"][-1]["code"] == "attachment_refused"
    assert not QueuedMessage.objects.exists()


def test_a_message_without_a_fault_can_be_sent(
    key: Key, northfield: Organisation, bob: Person, alice: Person
) -> None:
    answer = key(northfield)("POST", "/messages/preflight/", letter(bob, alice.address))

    assert answer.json() == {"can_be_sent": True, "findings": []}


@pytest.mark.parametrize("scopes", [[Scope.WRITE_MESSAGES], []])
def test_no_more_is_told_of_members_than_the_key_may_see(
    key: Key,
    northfield: Organisation,
    bob: Person,
    charlie: Person,
    scopes: list[Scope],
) -> None:
    people.edit(charlie, name="Charlie Cole", by=None)
    call = key(northfield, *scopes)
    asked = letter(bob, charlie.address)

    listed = call("POST", "/messages/preflight/", asked).content.decode()
    people.edit(charlie, is_ex_directory=True, by=None)
    unlisted = call("POST", "/messages/preflight/", asked).content.decode()

    assert ("Charlie Cole" in listed) == (not scopes)
    assert "Charlie Cole" not in unlisted


@pytest.mark.parametrize("scopes", [[Scope.WRITE_MESSAGES], []])
def test_earlier_mail_is_looked_into_for_a_key_that_may_read_it(
    key: Key,
    northfield: Organisation,
    bob: Person,
    charlie: Person,
    scopes: list[Scope],
) -> None:
    call = key(northfield, *scopes)

    found = call("POST", "/messages/preflight/", letter(bob, charlie.address)).json()

    codes = [one["code"] for one in found["findings"]]
    assert codes == ([] if scopes else ["new_recipient"])
    assert Opening.objects.exists() == (not scopes)


def test_another_organisations_mailbox_is_not_found(
    key: Key, harbour: Organisation, bob: Person, charlie: Person
) -> None:
    asked = letter(bob, charlie.address)

    assert key(harbour)("POST", "/messages/preflight/", asked).status_code == 404
