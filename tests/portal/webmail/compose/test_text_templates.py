"""Templates of text: one's own and the organisation's, inserted while writing."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from engine.registry.models import Organisation, Person
from portal.webmail.compose import text_templates
from portal.webmail.models import Signature, TextTemplate
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import ComposePage
from tests.portal.webmail.conftest import store_message

TEXT = {"name": "Receipt", "text": "Thank you.\r\nWe have received it."}
FOR_ALL = "/mail/writing/templates/add/organisation/"


def text_in(page: str) -> str:
    found = re.search(r'id="id_text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found, page
    return unescape(found[1])


def test_an_own_template_is_made_inserted_changed_and_deleted(
    as_bob: Client, bob: Person
) -> None:
    as_bob.post(reverse("webmail:add_text_template"), TEXT)
    template = TextTemplate.objects.get(person=bob)
    Signature.objects.create(
        mailbox=bob.mailbox, name="Short", text="Bob", is_default=True
    )
    message = store_message(bob.mailbox)
    reply = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    assert "Receipt" in reply

    page = ComposePage(bob.mailbox).post(
        as_bob, "template", text=f"Hello{text_in(reply)}", template=template.pk
    )
    written, _, rest = text_in(page.content.decode()).partition("\n-- \nBob")
    assert written == "Hello\n\nThank you.\nWe have received it.\n"
    assert "\n> Please see the bundle." in rest

    url = reverse("webmail:text_template", args=[template.pk])
    as_bob.post(url, TEXT | {"text": "Changed"})
    template.refresh_from_db()
    assert template.text == "Changed"
    as_bob.post(reverse("webmail:delete_text_template", args=[template.pk]))
    assert not TextTemplate.objects.exists()


def test_a_template_goes_into_formatted_text_above_signature_and_quote(
    as_bob: Client, bob: Person
) -> None:
    template = TextTemplate.objects.create(person=bob, name="x", text="One\nTwo")
    html = (
        '<div>Hello</div><div data-signature="1"><div>-- </div></div>'
        '<div data-quoted="1"><div>On x</div></div>'
    )

    page = ComposePage(bob.mailbox).post(
        as_bob, "template", html=html, template=template.pk
    )

    shown = unescape(page.content.decode())
    assert (
        "<div>Hello</div><div>One</div><div>Two</div><div><br></div><div data-s"
        in shown
    )


def test_the_organisations_templates_are_its_administrators_and_everybodys_to_use(
    signed_in: SignIn, alice: Person, bob: Person, northfield: Organisation
) -> None:
    assert signed_in(bob).get(FOR_ALL).status_code == 404
    signed_in(alice, second_factor=True).post(FOR_ALL, TEXT)
    template = TextTemplate.objects.get(organisation=northfield)
    edit = reverse("webmail:text_template", args=[template.pk])

    as_bob = signed_in(bob)
    page = as_bob.get(reverse("webmail:writing_preferences")).content.decode()
    assert "Of Northfield Court" in page and edit not in page
    assert as_bob.post(edit, TEXT).status_code == 404
    page = ComposePage(bob.mailbox).post(as_bob, "template", template=template.pk)

    assert "We have received it." in text_in(page.content.decode())
    client = signed_in(alice, second_factor=True)
    assert client.get(edit).status_code == 200


def test_another_persons_template_is_not_found(
    as_bob: Client, alice: Person, bob: Person
) -> None:
    template = TextTemplate.objects.create(person=alice, name="x", text="Secret words")

    page = ComposePage(bob.mailbox).post(as_bob, "template", template=template.pk)

    assert "Secret words" not in page.content.decode()
    url = reverse("webmail:delete_text_template", args=[template.pk])
    assert as_bob.post(url).status_code == 404
    assert TextTemplate.objects.exists()


@pytest.mark.parametrize("posted", [TEXT, {"name": "", "text": "x"}])
def test_what_is_wrong_with_a_template_is_said(
    as_bob: Client, bob: Person, posted: dict[str, str]
) -> None:
    TextTemplate.objects.create(person=bob, name="Receipt", text="x")

    page = as_bob.post(reverse("webmail:add_text_template"), posted).content.decode()

    assert "There is a problem" in page


def test_a_persons_own_come_first_and_nobody_elses_private_ones(
    bob: Person, alice: Person, vera: Person, northfield: Organisation
) -> None:
    TextTemplate.objects.create(organisation=northfield, name="A", text="x")
    TextTemplate.objects.create(person=bob, name="B", text="x")
    TextTemplate.objects.create(person=alice, name="C", text="x")

    assert [one.name for one in text_templates.of(bob)] == ["B", "A"]
    assert not text_templates.of(vera).exists()
