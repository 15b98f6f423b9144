from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.webmail.contacts import vcard
from portal.webmail.contacts.contact_card import CARDS_LIMIT, Card, UnreadableFileError

TEXT = st.text(st.characters(blacklist_categories=("C", "Z")), max_size=60)
CARDS = st.builds(
    Card,
    name=TEXT.filter(bool),
    address=st.sampled_from(
        ["jane@firm.example", "siân@llys.example", "a.b@x.example"]
    ),
    organisation=TEXT,
    phone=TEXT.map(lambda text: text[:40]),
    note=TEXT,
    groups=st.lists(TEXT.filter(bool), max_size=3, unique=True).map(tuple),
)

OUTLOOK = """BEGIN:VCARD\r
VERSION:3.0\r
N:Jones;Jane;;Ms;\r
FN:Jane Jones\r
ORG:Firm Solicitors\\, Leeds;Litigation\r
item1.EMAIL;TYPE=HOME:jane@home.example\r
EMAIL;TYPE=INTERNET,PREF:jane@fi\r
 rm.example\r
TEL;TYPE=WORK:020 7946 0000\r
NOTE:Calls back\\nafter four\r
PHOTO;ENCODING=b:/9j/4AAQ\r
CATEGORIES:Court,Firm\r
END:VCARD\r
"""


def test_a_card_of_outlook_is_read() -> None:
    [card] = vcard.read(OUTLOOK).cards

    assert card == Card(
        name="Jane Jones",
        address="jane@firm.example",
        organisation="Firm Solicitors, Leeds",
        phone="020 7946 0000",
        note="Calls back after four",
        groups=("Court", "Firm"),
    )


def test_a_name_in_parts_is_put_together() -> None:
    card = "BEGIN:VCARD\nN:Jones;Siân\nEMAIL:s@x.example\nEND:VCARD"

    assert vcard.read(card).cards[0].name == "Siân Jones"


@pytest.mark.parametrize("address", ["", "nobody", "a@b\\nBcc: c@d"])
def test_a_card_without_an_address_is_told_by_its_place(address: str) -> None:
    found = vcard.read(f"BEGIN:VCARD\nFN:Ann\nEMAIL:{address}\nEND:VCARD\n" + OUTLOOK)

    assert [problem.place for problem in found.problems] == ["Card 1 (Ann)"]
    assert len(found.cards) == 1


def test_an_escaped_backslash_does_not_escape_what_follows_it() -> None:
    written = Card("Ann", "ann@x.example", "Firm\\", groups=("\\", "Court"))

    assert vcard.read(vcard.write([written])).cards == [written]
    text = "BEGIN:VCARD\nEMAIL:a@x.example\nORG:Firm\\\\;Litigation\nEND:VCARD"
    assert vcard.read(text).cards[0].organisation == "Firm\\"


@given(st.lists(CARDS, min_size=1, max_size=4))
def test_what_is_written_is_read_back(cards: list[Card]) -> None:
    written = vcard.write(cards)

    assert vcard.read(written).cards == cards
    assert max(len(line.encode()) for line in written.split("\r\n")) <= 75


@given(st.text())
def test_anything_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        vcard.read("BEGIN:VCARD\n" + text + "\nEND:VCARD")
    except UnreadableFileError as error:
        assert str(error)


def test_too_many_cards_are_refused() -> None:
    with pytest.raises(UnreadableFileError, match="in parts"):
        vcard.read("BEGIN:VCARD\nEMAIL:a@b.example\nEND:VCARD\n" * (CARDS_LIMIT + 1))
