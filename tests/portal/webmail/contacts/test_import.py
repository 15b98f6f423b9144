from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from engine.registry.models import Person
from portal.webmail.contacts import address_book, csv_file, import_choice, vcard
from portal.webmail.models import Contact

CARDS = """BEGIN:VCARD
VERSION:3.0
FN:Jane Jones
EMAIL:jane@firm.example
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:SiÃ¢n <b>Ifans</b>
ORG:Llys
EMAIL:sian@llys.example
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Zoë
EMAIL:zoe@home.example
EMAIL:zoe@chambers.example
"""


def upload(client: Client, data: bytes) -> str:
    file = SimpleUploadedFile("contacts.vcf", data, "text/vcard")
    return client.post(reverse("webmail:import_contacts"), {"file": file}).text


def confirm(client: Client, page: str, **chosen: object) -> str:
    url = re.search(r'action="(/mail/contacts/import/[^"]+)"', page)
    assert url
    return client.post(url[1], chosen, follow=True).text


def names() -> dict[str, str]:
    return dict(Contact.objects.values_list("address", "name"))


def test_doubtful_contacts_are_left_out_unless_chosen(as_bob: Client) -> None:
    page = upload(as_bob, CARDS.encode())

    assert "3 contacts to check" in page and "1 new contact<" in page
    assert "SiÃ¢n &lt;b&gt;Ifans&lt;/b&gt;" in page
    assert "may have been “Siân" in page
    assert "its END:VCARD is missing" in page
    assert not re.search(r'name="take"[^>]* checked', page)

    done = confirm(as_bob, page, take=["2"])

    assert "2 contacts added, 2 left out." in done
    assert names() == {"jane@firm.example": "Jane Jones", "zoe@home.example": "Zoë"}


def test_a_corrected_file_doubles_nothing(as_bob: Client) -> None:
    confirm(as_bob, upload(as_bob, CARDS.encode()), take=["2", "3"])
    corrected = CARDS.replace("SiÃ¢n <b>Ifans</b>", "Siân Ifans") + "END:VCARD\n"

    page = upload(as_bob, corrected.encode())
    confirm(as_bob, page)
    confirm(as_bob, page)

    assert "to check" not in page
    assert names() == {
        "jane@firm.example": "Jane Jones",
        "sian@llys.example": "Siân Ifans",
        "zoe@home.example": "Zoë",
        "zoe@chambers.example": "Zoë",
    }


def test_where_all_are_doubtful_and_none_is_chosen_the_page_asks(
    as_bob: Client,
) -> None:
    page = upload(as_bob, "Name,Email\nSiÃ¢n,s@x.example\n".encode())

    again = confirm(as_bob, page)

    assert "Choose at least one contact to import" in again
    assert 'href="#take-0"' in again
    assert not Contact.objects.exists()
    assert "1 contact added" in confirm(as_bob, again, take=["0"])


@pytest.mark.parametrize("take", ["x", "-1", "9" * 5000, "1"])
def test_boxes_that_are_not_on_the_page_choose_nothing(
    as_bob: Client, take: str
) -> None:
    page = upload(as_bob, "Name,Email\nSiÃ¢n,s@x.example\nA,a@x.example\n".encode())

    confirm(as_bob, page, take=[take] * 200)

    assert names() == {"a@x.example": "A"}


def test_a_page_lists_some_of_many_doubtful_contacts_and_takes_the_rest_together(
    as_bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_choice, "DOUBTS_SHOWN", 2)
    rows = "".join(f"SiÃ¢n{n},s{n}@x.example\n" for n in range(5))
    page = upload(as_bob, f"Name,Email\n{rows}".encode())

    assert page.count('name="take"') == 2
    assert "the 3 other contacts to check" in page
    confirm(as_bob, page, take=["1"], take_others="on")

    assert sorted(names()) == [f"s{n}@x.example" for n in (1, 2, 3, 4)]


def test_what_the_file_says_of_its_letters_is_said(as_bob: Client) -> None:
    page = upload(as_bob, "Name,Email\nSiân,s@x.example\n".encode("cp1252"))

    assert "does not say how its accented letters are encoded" in page
    assert "Line 2: The encoding of its letters was guessed." in page
    assert "Siân" in page


def test_an_address_book_taken_away_comes_back_without_doubts(
    as_bob: Client, bob: Person
) -> None:
    confirm(as_bob, upload(as_bob, CARDS.encode()), take=["1", "2", "3"])
    Contact.objects.filter(name__startswith="SiÃ").update(name="Siân (a@b.example)")
    before = address_book.export_cards(bob)
    for write in (csv_file.write, vcard.write):
        Contact.objects.all().delete()

        page = upload(as_bob, write(before).encode())
        confirm(as_bob, page)

        assert "to check" not in page
        assert address_book.export_cards(bob) == before
