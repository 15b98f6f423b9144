from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from engine.registry.models import Mailbox, OrganisationStatus, Person
from engine.storage.models import FolderRole, Message
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import PDF, store_message


def urls(message: Message) -> list[str]:
    """Returns every URL that shows something of a message or its folder."""
    names = ("read", "content", "original", "reply", "reply_all")
    by_message = [reverse(f"webmail:{n}", args=[message.pk]) for n in names]
    return [
        *by_message,
        reverse("webmail:part", args=[message.pk, "2"]),
        reverse("webmail:folder", args=[message.folder_id]),
        reverse("webmail:mailbox", args=[message.mailbox_id]),
        reverse("webmail:compose", args=[message.mailbox_id]),
        reverse("webmail:draft", args=[message.mailbox_id, uuid4()]),
    ]


def answers(client: Client, message: Message) -> set[int]:
    return {client.get(url).status_code for url in urls(message)}


def html_message(mailbox: Mailbox) -> Message:
    raw = store_message(mailbox, attachments=[PDF], html="<p>Hello</p>")
    return raw


def test_a_message_opens_for_its_owner(signed_in: SignIn, alice: Person) -> None:
    message = html_message(alice.mailbox)

    found = answers(signed_in(alice, second_factor=True), message)

    assert found == {200, 302}


def test_a_message_does_not_exist_for_a_colleague(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    message = html_message(alice.mailbox)

    assert answers(signed_in(bob), message) == {404}


def test_a_message_does_not_exist_for_the_neighbours_administrator(
    signed_in: SignIn, alice: Person, charlie: Person
) -> None:
    message = html_message(alice.mailbox)

    assert answers(signed_in(charlie, second_factor=True), message) == {404}


def test_a_message_does_not_exist_for_staff(
    signed_in: SignIn, alice: Person, vera: Person
) -> None:
    message = html_message(alice.mailbox)
    factories.make_staff(vera, "operator")

    assert answers(signed_in(vera, second_factor=True), message) == {403}


def test_a_message_does_not_exist_for_its_own_organisations_administrator(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    message = html_message(bob.mailbox)

    assert answers(signed_in(alice, second_factor=True), message) == {404}


def test_a_message_sends_strangers_to_the_sign_in_page(alice: Person) -> None:
    message = html_message(alice.mailbox)

    for url in urls(message):
        answer = Client().get(url)
        assert answer.status_code == 302
        assert "/account/login/" in answer["Location"]


def test_a_group_mailbox_opens_for_who_may_read_it(
    signed_in: SignIn, team: Mailbox, bob: Person
) -> None:
    factories.make_grant(team, bob, can_read=True)
    message = html_message(team)

    assert answers(signed_in(bob), message) == {200, 302}


@pytest.mark.parametrize("right", ["can_write", "can_send"])
def test_a_group_mailbox_stays_shut_for_who_may_not_read_it(
    signed_in: SignIn, team: Mailbox, bob: Person, right: str
) -> None:
    factories.make_grant(team, bob, **{right: True})
    message = html_message(team)

    assert answers(signed_in(bob), message) == {404}


def test_a_group_mailbox_stays_shut_for_the_neighbour(
    signed_in: SignIn, team: Mailbox, bob: Person, charlie: Person
) -> None:
    factories.make_grant(team, bob, can_read=True)
    message = html_message(team)

    assert answers(signed_in(charlie, second_factor=True), message) == {404}


def test_a_mailbox_out_of_use_opens_for_nobody(
    signed_in: SignIn, team: Mailbox, bob: Person
) -> None:
    factories.make_grant(team, bob, can_read=True)
    message = html_message(team)
    Mailbox.objects.filter(pk=team.pk).update(is_active=False)

    assert answers(signed_in(bob), message) == {404}


def test_a_group_mailbox_of_a_suspended_organisation_opens_for_nobody(
    signed_in: SignIn, team: Mailbox, charlie: Person
) -> None:
    factories.make_grant(team, charlie, can_read=True)
    message = html_message(team)
    team.organisation.status = OrganisationStatus.SUSPENDED
    team.organisation.save()

    assert answers(signed_in(charlie, second_factor=True), message) == {404}


def test_messages_of_others_cannot_be_moved_marked_or_deleted(
    alice: Person, bob: Person, as_bob: Client
) -> None:
    message = store_message(alice.mailbox)
    own = store_message(bob.mailbox)
    for do in ("read", "move", "delete", "erase"):
        as_bob.post(
            reverse("webmail:act", args=[own.folder_id]),
            {"do": do, "message": message.pk, "target": own.folder_id},
        )
        answer = as_bob.post(
            reverse("webmail:act", args=[message.folder_id]),
            {"do": do, "message": message.pk, "target": message.folder_id},
        )
        assert answer.status_code == 404

    message.refresh_from_db()
    assert not message.is_read
    assert message.folder.role == FolderRole.INBOX


def test_messages_cannot_be_moved_into_somebody_elses_folder(
    alice: Person, bob: Person, as_bob: Client
) -> None:
    theirs = store_message(alice.mailbox)
    own = store_message(bob.mailbox)

    answer = as_bob.post(
        reverse("webmail:act", args=[own.folder_id]),
        {"do": "move", "message": own.pk, "target": theirs.folder_id},
    )

    own.refresh_from_db()
    assert answer.status_code == 404
    assert own.mailbox == bob.mailbox


def test_a_group_mailbox_is_only_read_without_the_right_to_write(
    team: Mailbox, bob: Person, as_bob: Client
) -> None:
    factories.make_grant(team, bob, can_read=True)
    message = store_message(team)

    page = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()
    answer = as_bob.post(
        reverse("webmail:act", args=[message.folder_id]),
        {"do": "delete", "message": message.pk},
    )

    message.refresh_from_db()
    assert "but not change it" in page
    assert not message.is_read
    assert answer.status_code == 403
    assert message.folder.role == FolderRole.INBOX


def test_forwarding_somebody_elses_message_is_not_possible(
    alice: Person, as_bob: Client
) -> None:
    message = store_message(alice.mailbox)

    answer = as_bob.post(reverse("webmail:forward", args=[message.pk]))

    assert answer.status_code == 404


def test_answering_somebody_elses_message_reveals_nothing_of_it(
    alice: Person, bob: Person, as_bob: Client
) -> None:
    message = store_message(alice.mailbox)
    token = uuid4()

    as_bob.post(
        reverse("webmail:draft", args=[bob.mailbox.pk, token]),
        {"do": "save", "text": "x", "answers": message.pk},
    )

    draft = Message.objects.get(mailbox=bob.mailbox)
    assert message.message_id.encode() not in bytes(draft.content.header)
