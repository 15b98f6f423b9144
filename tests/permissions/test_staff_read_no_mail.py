"""Visits every route that admits a staff role, and finds the body of no message.

That the others refuse it is tested by test_permissions.
Emergency access, which two others approve, is the only way in which staff read one: see
tests/portal/emergency_access.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.http.response import HttpResponseBase
from django.test import Client

from engine.antivirus import quarantine
from engine.antivirus.verdict import Verdict, VerdictState
from engine.jobs.models import JobRun
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.mail.envelope import Envelope
from engine.queue.enqueue import local_submission
from engine.queue.models import Recipient, Source
from engine.registry.actions import api_keys
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope
from engine.storage import message_actions, withdrawals
from engine.storage.models import FolderRole, WithdrawalKind
from engine.storage.standard_folders import folder, inbox
from engine.storage.withdrawals import Cause
from tests.permissions import permission_table, route_objects, visitors
from tests.permissions.route_objects import RouteObjects
from tests.portal.conftest import sign_in
from tests.portal.guides.conftest import GuideFolder

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

# The second is looked for, so that a page may repeat it; the first stands beside it in
# every body, and nowhere else.
SECRET, SOUGHT = "Zyzzyva", "quockerwodger"
WORDS = f"{SECRET} {SOUGHT}\n"


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def letter() -> bytes:
    """A message whose text, HTML, attached text and attached message hold the secret."""
    bob = NamedAddress("Bob", Address.parse("bob@northfield.secure.example"))
    inner = compose(sender=bob, to=[bob], subject="Inner", text=WORDS)
    return compose(
        sender=bob,
        to=[bob],
        subject="Hearing",
        text=WORDS,
        html=f"<p>{WORDS}</p>",
        attachments=[
            Attachment("note.txt", "text/plain", WORDS.encode()),
            Attachment("old.eml", "message/rfc822", inner),
        ],
    )


@pytest.fixture
def people(northfield: Organisation, harbour: Organisation) -> dict[str, Person | None]:
    return visitors.create(northfield, harbour)


@pytest.fixture
def objects(
    people: dict[str, Person | None],
    northfield: Organisation,
    guide_folder: GuideFolder,
    tmp_path,
    settings,
) -> RouteObjects:
    """One object for every route, and the secret wherever a message is kept."""
    settings.POSTERN = settings.POSTERN.model_copy(update={"var": tmp_path})
    guide_folder.write("webmail", "Do this.\n")
    guide_folder.load()
    bob = people["member"]
    assert bob is not None
    made = route_objects.create(bob, northfield)
    mailbox = bob.mailbox
    address = Address.parse(bob.address)
    reference = local_submission.submit(
        letter(),
        envelope=Envelope.simple(address, address),
        source=Source.WEBMAIL,
        by=bob,
    )
    received = message_actions.append(inbox(mailbox), letter())
    sent = message_actions.append(
        folder(mailbox, FolderRole.SENT), letter(), reference=reference
    )
    removed = message_actions.append(inbox(mailbox), letter())
    withdrawals.take_out([removed.pk], Cause(WithdrawalKind.OPERATOR, by=None))
    with quarantine.copied(io.BytesIO(letter())) as copy:
        infected = quarantine.keep(
            copy,
            reference=reference,
            verdict=Verdict(VerdictState.INFECTED, "Eicar-Test", "clamd"),
            envelope=Envelope.simple(address, address),
            organisation_id=northfield.pk,
        )
    recipient = Recipient.objects.get(message__reference=reference)
    job = JobRun.objects.create(job_id="j1", func="engine.storage.tasks.index_messages")
    of_message = {"message_id": received.pk, "path": "2", "pk": received.pk}
    story = {"reference": reference}
    return RouteObjects(
        made.arguments
        | {
            "mail/messages/": of_message,
            "mail/messages/<int:message_id>/delivery/": {"message_id": sent.pk},
            "mail/withdrawn/": {"copy_id": removed.pk},
            "mail/folders/": {"folder_id": received.folder_id},
            "api/v1/messages/": of_message,
            "api/v1/traces/": story,
            "api/v1/queue/": {"pk": recipient.pk},
            "api/v1/mailboxes/": {"pk": mailbox.pk, "mailbox_id": mailbox.pk},
            "admin/trace/": story,
            "organisation/<int:organisation_id>/trace/": story,
            "admin/quarantine/": {"pk": infected.pk},
            "admin/jobs/": {"pk": job.pk},
        }
    )


def revealing(client: Client, objects: RouteObjects, routes: list[str]) -> list[str]:
    """Returns those of the routes whose response holds the secret."""
    client.raise_request_exception = False
    found = []
    for route in routes:
        response = client.get(objects.url(route), {"q": SOUGHT})
        if SECRET.encode() in body_of(response):
            found.append(route)
    return found


def open_to(visitor: str) -> list[str]:
    declared = permission_table.declared()
    return [route for route, found in declared.items() if visitor in found.admits]


def body_of(response: HttpResponseBase) -> bytes:
    if response.streaming:
        return b"".join(response.streaming_content)
    return bytes(response.content)


def test_no_key_that_staff_can_make_alone_shows_a_body(
    people: dict[str, Person | None], objects: RouteObjects
) -> None:
    _, secret = api_keys.add(
        None, name="Tool", scopes=list(Scope), by=people["operator"]
    )

    client = Client(headers={"Authorization": f"Bearer {secret}"})

    routes = [one for one in permission_table.declared() if one.startswith("api/")]

    assert len(routes) > 50
    assert revealing(client, objects, routes) == []


@pytest.mark.parametrize("role", sorted(visitors.STAFF))
def test_no_page_shows_staff_a_body(
    role: str, people: dict[str, Person | None], objects: RouteObjects
) -> None:
    person = people[role]
    assert person is not None

    client = sign_in(Client(), person, second_factor=True)

    routes = open_to(role)

    assert len(routes) > 50
    assert revealing(client, objects, routes) == []


def test_the_same_walk_shows_the_holder_every_body(
    people: dict[str, Person | None], objects: RouteObjects
) -> None:
    bob = people["member"]
    assert bob is not None

    found = revealing(sign_in(Client(), bob), objects, open_to("member"))

    assert {
        "mail/messages/<int:message_id>/content/",
        "mail/messages/<int:message_id>/original/",
        "mail/messages/<int:message_id>/print/",
    } <= set(found)
