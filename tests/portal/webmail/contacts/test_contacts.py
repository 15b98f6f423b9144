from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from engine.registry.models import Person
from portal.webmail.contacts import actions, address_book
from portal.webmail.contacts.actions import ImportResult
from portal.webmail.contacts.contact_card import Card
from portal.webmail.contacts.suggestions import suggest
from portal.webmail.mailbox_settings.actions import save_signature
from portal.webmail.models import Contact, ContactGroup, Signature, UndoTime
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import CHARLIE, ComposePage, value_of
from tests.portal.webmail.conftest import store_message

JANE = Card("Jane Jones", "jane@firm.example", "Firm", groups=("Court",))


def upload(client: Client, data: bytes) -> str:
    file = SimpleUploadedFile("contacts.csv", data, "text/csv")
    url = reverse("webmail:import_contacts")
    return client.post(url, {"file": file}).content.decode()


def test_a_contact_is_added_changed_found_and_deleted(
    as_bob: Client, bob: Person
) -> None:
    fields = {"name": "Siân", "address": "Sian@llys.example"}
    as_bob.post(reverse("webmail:add_contact"), fields)
    contact = Contact.objects.get(person=bob)
    url = reverse("webmail:contact", args=[contact.pk])
    as_bob.post(url, fields | {"organisation": "Llys"})

    page = as_bob.get(reverse("webmail:contacts"), {"q": "llys siân"}).content.decode()
    as_bob.post(reverse("webmail:delete_contact", args=[contact.pk]))

    assert "Siân" in page
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("jane", "is not an address"),
        ("JANE@firm.example", "already has this address"),
        ("x@y.example\r\nBcc: z@y.example", "is not an address"),
    ],
)
def test_a_wrong_address_is_said_beside_the_field(
    as_bob: Client, bob: Person, address: str, sentence: str
) -> None:
    actions.add(bob, JANE)

    page = as_bob.post(
        reverse("webmail:add_contact"), {"name": "J", "address": address}
    ).content.decode()

    assert sentence in page.partition('id="id_address-error"')[2]
    assert Contact.objects.count() == 1


def test_a_book_is_its_owners_alone(
    as_bob: Client, signed_in: SignIn, bob: Person, alice: Person, charlie: Person
) -> None:
    contact = actions.add(bob, JANE)
    group = actions.add_group(bob, name="Court")
    for other in (alice, charlie):
        client = signed_in(other, second_factor=True)
        assert "Jane" not in client.get(reverse("webmail:contacts")).content.decode()
        for name, key in (
            ("contact", contact.pk),
            ("delete_contact", contact.pk),
            ("contact_group", group.pk),
            ("rename_group", group.pk),
            ("delete_group", group.pk),
        ):
            url = reverse(f"webmail:{name}", args=[key])
            assert client.get(url).status_code == 404
            assert client.post(url).status_code == 404


def test_the_sender_of_a_message_is_written_down(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    as_bob.post(reverse("webmail:add_sender", args=[message.pk]))

    assert Contact.objects.get(person=bob).name == "Jane Jones"


def test_a_group_takes_people_and_expands_into_a_message(
    as_bob: Client, bob: Person
) -> None:
    group = actions.add_group(bob, name="Court")
    url = reverse("webmail:contact_group", args=[group.pk])

    as_bob.post(url, {"people": f"Jane <jane@firm.example>\n{CHARLIE}"})
    page = as_bob.get(reverse("webmail:compose"), {"group": group.pk}).content.decode()

    assert "jane@firm.example" in value_of(page, "to")
    assert CHARLIE in value_of(page, "to")
    assert Contact.objects.filter(person=bob).count() == 2


def test_nobody_of_a_group_too_large_for_a_message_is_left_out_unsaid(
    as_bob: Client, bob: Person
) -> None:
    group = actions.add_group(bob, name="Everybody")
    cards = [Card(f"P {n}", f"p{n}@firm.example") for n in range(203)]
    actions.add_to_group(group, cards)

    page = as_bob.get(reverse("webmail:contact_group", args=[group.pk]))
    written = as_bob.get(reverse("webmail:compose"), {"group": group.pk})
    people = ", ".join(f"q{n}@firm.example" for n in range(201))
    added = as_bob.post(
        reverse("webmail:contact_group", args=[group.pk]), {"people": people}
    )

    assert "And 3 more" in page.content.decode()
    assert value_of(written.content.decode(), "to").count("@") == 201
    assert "Add at most 200 people at a time" in added.content.decode()


def test_an_import_is_looked_at_first_and_overwrites_nothing(
    as_bob: Client, bob: Person
) -> None:
    actions.add(bob, Card("My Jane", "jane@firm.example", phone="1"))
    data = (
        b"Name,Email,Company,Phone,Labels\nJane,JANE@firm.example,Firm,2,Court\n"
        b"Ann,ann@x.example,,,\nBad,,,,\n"
    )

    page = upload(as_bob, data)
    assert "1 new contact" in page and "Line 4" in page
    assert Contact.objects.count() == 1
    url = page.partition('action="/mail/contacts/import/')[2].partition('"')[0]
    as_bob.post(f"/mail/contacts/import/{url}")

    jane = Contact.objects.get(key="jane@firm.example")
    assert (jane.name, jane.phone, jane.organisation) == ("My Jane", "1", "Firm")
    assert list(jane.groups.values_list("name", flat=True)) == ["Court"]
    assert Contact.objects.count() == 2


def test_nobody_imports_the_file_that_another_looked_at(
    as_bob: Client, signed_in: SignIn, charlie: Person
) -> None:
    page = upload(as_bob, b"Name,Email\nAnn,ann@x.example\n")
    url = page.partition('action="/mail/contacts/import/')[2].partition('"')[0]

    signed_in(charlie, second_factor=True).post(f"/mail/contacts/import/{url}")

    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff", b"Name\nx", b"x" * (2 * 1024**2 + 1)]
)
def test_a_hostile_file_is_refused_with_a_sentence(as_bob: Client, data: bytes) -> None:
    assert "There is a problem" in upload(as_bob, data)


def test_importing_again_changes_nothing(bob: Person) -> None:
    cards = [JANE, Card("Ann", "ann@x.example"), JANE]

    first, again = actions.import_cards(bob, cards), actions.import_cards(bob, cards)

    assert (first, again) == (ImportResult(2, 0, 0), ImportResult(0, 0, 2))
    assert actions.preview_import(bob, cards) == ImportResult(0, 0, 2)
    assert ContactGroup.objects.count() == 1


@pytest.mark.parametrize("kind", ["csv", "vcf"])
def test_the_book_is_taken_away_and_brought_back(
    as_bob: Client, bob: Person, kind: str
) -> None:
    actions.import_cards(bob, [JANE, Card("=cmd()", "x@y.example")])
    before = address_book.export_cards(bob)
    data = as_bob.get(reverse("webmail:export_contacts", args=[kind])).content
    Contact.objects.all().delete()

    page = upload(as_bob, data)
    url = page.partition('action="/mail/contacts/import/')[2].partition('"')[0]
    as_bob.post(f"/mail/contacts/import/{url}")

    assert address_book.export_cards(bob) == before


def test_the_own_book_is_suggested_before_the_directory(
    bob: Person, charlie: Person, alice: Person
) -> None:
    actions.import_cards(bob, [Card("Alan Ample", "alan@firm.example"), JANE])
    actions.add_group(bob, name="Allies").contacts.add(Contact.objects.first())
    actions.add(bob, Card("Al at home", alice.address))

    found = suggest("al", person=bob)

    assert [one.source for one in found][:3] == [
        "Your group",
        "Your contact",
        "Your contact",
    ]
    assert sum(alice.address in one.typed for one in found) == 1


def test_people_are_found_without_a_script(
    as_bob: Client, bob: Person, charlie: Person
) -> None:
    actions.add(bob, Card("Charlie Court", CHARLIE))
    compose_page = ComposePage(bob.mailbox)
    page = compose_page.post(
        as_bob, "find", text="Words", to="a@b.example"
    ).content.decode()
    assert "Find people" in page

    page = as_bob.post(f"{compose_page.url}people/", {"q": "court"}).content.decode()
    assert f"Charlie Court &lt;{CHARLIE}&gt;" in page
    chosen = {"chosen": f"Charlie Court <{CHARLIE}>", "field": "to", "do": "add"}
    page = as_bob.post(
        f"{compose_page.url}people/", chosen, follow=True
    ).content.decode()

    assert value_of(page, "to") == f"a@b.example, Charlie Court &lt;{CHARLIE}&gt;"
    assert "Words" in page and "Harbour Chambers" in page


def test_a_list_of_contacts_is_read_page_by_page(
    as_bob: Client, bob: Person, django_assert_num_queries
) -> None:
    cards = [Card(f"Name {n:03}", f"n{n}@x.example") for n in range(120)]
    actions.import_cards(bob, cards)
    url = reverse("webmail:contacts")
    as_bob.get(url)

    with django_assert_num_queries(6):
        page = as_bob.get(url).content.decode()
    after = page.partition("after=")[2].partition('"')[0]
    second = as_bob.get(url, {"after": after}).content.decode()

    assert page.count('class="app-book__one"') == 50
    assert "Name 050" in second and "Name 049" not in second


def test_the_default_signature_stands_under_a_new_message_and_is_exchanged(
    as_bob: Client, bob: Person
) -> None:
    for name, text, is_default in (
        ("Short", "Bob", True),
        ("Long", "Bob\nDesk", False),
    ):
        save_signature(
            Signature(mailbox=bob.mailbox), name=name, text=text, is_default=is_default
        )
    page = as_bob.get(reverse("webmail:compose")).content.decode()
    assert "-- \nBob</textarea>" in page
    compose_page = ComposePage(bob.mailbox)

    page = compose_page.post(
        as_bob, "sign", text="Hi\n\n-- \nBob", signature="Long"
    ).content.decode()

    assert "Hi\n\n-- \nBob\nDesk</textarea>" in page


def test_a_signature_belongs_to_who_may_send_from_the_mailbox(
    as_bob: Client, signed_in: SignIn, bob: Person, alice: Person
) -> None:
    fields = {"name": "Short", "text": "Bob", "is_default": "on"}
    add = reverse("webmail:add_signature", args=[bob.mailbox.pk])
    as_bob.post(add, fields)
    url = reverse("webmail:signature", args=[Signature.objects.get().pk])
    client = signed_in(alice, second_factor=True)

    assert client.post(add, fields).status_code == 404
    assert client.get(url).status_code == 404


def test_how_long_a_message_waits_is_chosen(as_bob: Client, bob: Person) -> None:
    page = as_bob.get(reverse("webmail:writing_preferences")).content.decode()
    assert all(label in page for label in UndoTime.labels)

    as_bob.post(reverse("webmail:writing_preferences"), {"undo_seconds": "30"})
    as_bob.post(reverse("webmail:writing_preferences"), {"undo_seconds": "31"})

    bob.refresh_from_db()
    assert bob.writing_preferences.undo_seconds == 30
