from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.webmail.contacts import csv_file
from portal.webmail.contacts.contact_card import (
    SIZE_LIMIT,
    Card,
    UnreadableFileError,
    decode_file,
)

JANE = Card("Jane Jones", "jane@firm.example", "Firm", "020 7946 0000")


OWN = "Name,Address,Organisation,Phone"
OUTLOOK = "First Name,Last Name,E-mail Address,Company,Business Phone"
GOOGLE = "Name,E-mail 1 - Value,Organization 1 - Name,Phone 1 - Value,Group Membership"
NEW_GOOGLE = (
    "First Name,Last Name,E-mail 1 - Value,Organization Name,Phone 1 - Value,Labels"
)


@pytest.mark.parametrize(
    ("headings", "line"),
    [
        (OWN, "Jane Jones,jane@firm.example,Firm,020 7946 0000"),
        (OUTLOOK, "Jane,Jones,jane@firm.example,Firm,020 7946 0000"),
        (GOOGLE, "Jane Jones,jane@firm.example,Firm,020 7946 0000,* myContacts"),
        (NEW_GOOGLE, "Jane,Jones,jane@firm.example,Firm,020 7946 0000,* myContacts"),
        # A spreadsheet of another locale
        (OWN.replace(",", ";"), "Jane Jones;jane@firm.example;Firm;020 7946 0000"),
    ],
)
def test_the_headings_of_each_program_are_known(headings: str, line: str) -> None:
    assert csv_file.read(f"{headings}\n{line}").cards == [JANE]


def test_groups_are_read_as_each_program_parts_them() -> None:
    text = "Name,E-mail 1 - Value,Labels\nJane,j@x.example,Court ::: Firm ::: * starred"

    assert csv_file.read(text).cards[0].groups == ("Court", "Firm")


def test_wrong_lines_are_told_by_their_number() -> None:
    found = csv_file.read("Name,Email\nAnn,\nBob,bob@x.example\nCid,cid at x\n")

    assert [card.name for card in found.cards] == ["Bob"]
    assert [problem.place for problem in found.problems] == ["Line 2", "Line 4"]


@pytest.mark.parametrize("text", ["", "\n\n", "Name,Colour\nAnn,red", "\x00"])
def test_what_is_no_address_book_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFileError, match="first line must name"):
        csv_file.read(text)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_that_is_written_is_a_formula(start: str) -> None:
    card = Card(f"{start}cmd|' /C calc'!A0", "jane@firm.example", note=f"{start}1+1")

    rows = csv_file.write([card]).splitlines()

    assert rows[1].startswith("'" + start) or rows[1].startswith("\"'" + start)
    assert f",'{start}1+1" in rows[1]


@given(
    st.lists(
        st.builds(
            Card,
            name=st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1),
            address=st.just("jane@firm.example"),
            organisation=st.text("=+-@'\",ab", max_size=20),
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read_back(cards: list[Card]) -> None:
    assert csv_file.read(csv_file.write(cards)).cards == [
        Card(c.name[:150], c.address, c.organisation) for c in cards
    ]


@given(st.text())
def test_anything_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        csv_file.read("Email," + text)
    except UnreadableFileError as error:
        assert str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_letters_of_every_program_are_read(encoding: str) -> None:
    assert decode_file("Name,Siân".encode(encoding)) == "Name,Siân"


@pytest.mark.parametrize("data", [b"x" * (SIZE_LIMIT + 1), b"\xff\xfe\x00"])
def test_what_is_too_large_or_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        decode_file(data)
