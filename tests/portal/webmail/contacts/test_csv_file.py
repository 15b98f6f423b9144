from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.webmail.contacts import csv_file
from portal.webmail.contacts.contact_card import (
    Card,
    Entry,
    ParsedCards,
    UnreadableFileError,
)
from portal.webmail.contacts.file_text import SIZE_LIMIT, decode

JANE = Card("Jane Jones", "jane@firm.example", "Firm", "020 7946 0000")


def read(text: str) -> ParsedCards:
    return csv_file.read(decode(text.encode()))


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
    assert read(f"{headings}\n{line}").cards == [JANE]


def test_groups_are_read_as_each_program_parts_them() -> None:
    text = "Name,E-mail 1 - Value,Labels\nJane,j@x.example,Court ::: Firm ::: * starred"

    assert read(text).cards[0].groups == ("Court", "Firm")


def test_wrong_lines_are_told_by_their_number() -> None:
    found = read("Name,Email\nAnn,\nBob,bob@x.example\nCid,cid at x\n")

    assert [card.name for card in found.cards] == ["Bob"]
    assert [problem.place for problem in found.problems] == ["Line 2", "Line 4"]


@pytest.mark.parametrize("text", ["", "\n\n", "Name,Colour\nAnn,red", "\x00"])
def test_what_is_no_address_book_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFileError, match="first line must name"):
        read(text)


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
    assert read(csv_file.write(cards)).cards == [
        Card(c.name[:150], c.address, c.organisation) for c in cards
    ]


OUTLOOK_WHOLE = (
    "First Name,Middle Name,Last Name,E-mail Address,E-mail Type,E-mail Display Name,"
    "E-mail 2 Address,Company"
)
EXCHANGE = "/o=ExchangeLabs/ou=Administrative Group/cn=Recipients/cn=jane"


@pytest.mark.parametrize(
    ("headings", "line", "cards", "doubt"),
    [
        # Several values of one cell, and several columns of addresses
        (
            "Name,E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Value",
            "Jane,a@x.example ::: b@x.example,c@x.example,1 ::: 2",
            [Card("Jane", f"{one}@x.example", "", "1") for one in "abc"],
            "",
        ),
        (
            OUTLOOK_WHOLE,
            "Jane,Ann,Jones,a@x.example,SMTP,Jane Jones (a@x.example),b@x.example,Firm",
            [Card("Jane Jones", f"{one}@x.example", "Firm") for one in "ab"],
            "",
        ),
        (
            "Name,Address",
            "Jane,Jane Jones (a@x.example)",
            [Card("Jane", "a@x.example")],
            "",
        ),
        ("Name,Email", "Jane,Jane <a@x.example>", [Card("Jane", "a@x.example")], ""),
        ("Name,Email", "Jane,mailto:a@x.example", [Card("Jane", "a@x.example")], ""),
        ("Name,Email", "A (a@x.example),a@x.example", [Card("A", "a@x.example")], ""),
        (
            "Name,Email",
            "A (b@x.example),a@x.example",
            [Card("A", "a@x.example")],
            "The name holds another address: b@x.example",
        ),
        (
            "Name,Email",
            "Jane,work: a@x.example or b@x.example",
            [Card("Jane", "a@x.example"), Card("Jane", "b@x.example")],
            "taken from “work: a@x.example or b@x.example”",
        ),
        (
            OUTLOOK_WHOLE,
            f"Jane,,Jones,{EXCHANGE},EX,Jane Jones (a@x.example),,",
            [Card("Jane Jones", "a@x.example")],
            "taken from the display name",
        ),
        # A comma that no quotation marks surround
        (
            "Name,Email,Company",
            "Jane,a@x.example,Firm, Leeds",
            [Card("Jane", "a@x.example", "Firm")],
            "more cells than the first line",
        ),
        (
            "Name,Email",
            '"Jane\nB",a@x.example',
            [Card("Jane B", "a@x.example")],
            "break",
        ),
        (
            "Email,Name",
            'a@x.example,"Jane',
            [Card("Jane", "a@x.example")],
            "not closed",
        ),
        ("Email,Name", "a@x.example,SiÃ¢n", [Card("SiÃ¢n", "a@x.example")], "“Siân”"),
    ],
)
def test_what_programs_write_is_read_and_what_is_doubtful_said(
    headings: str, line: str, cards: list[Card], doubt: str
) -> None:
    found = read(f"{headings}\n{line}")

    assert found.cards == cards
    assert found.problems == []
    for entry in found.entries:
        assert doubt in ". ".join(entry.doubts)
        assert bool(entry.doubts) == bool(doubt)


@pytest.mark.parametrize(
    ("start", "delimiter"),
    [("sep=;\r\n", ";"), ("SEP=|\n", "|"), ('"sep=\t"\n', "\t"), ("", "\t")],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_spreadsheets_delimiter_and_encoding_are_known(
    start: str, delimiter: str, encoding: str
) -> None:
    rows = (("Name", "Email"), ("Siân", "s@x.example"), ("", "none"))
    text = start + "".join(f"{delimiter.join(row)}\r\n" for row in rows)

    found = csv_file.read(decode(text.encode(encoding)))

    line = 3 if start else 2
    assert found.entries == [Entry(f"Line {line}", Card("Siân", "s@x.example"))]
    assert [problem.place for problem in found.problems] == [f"Line {line + 1}"]


def test_mixed_encodings_are_noticed_and_said() -> None:
    lines = [b"Name,Email\n", "Siân,s@x.example\n".encode(), b"Ann,a@x.example\n"]
    found = csv_file.read(decode(b"".join([*lines, b"Zo\xeb,z@x.example\n"])))

    assert [entry.card.name for entry in found.entries] == ["Siân", "Ann", "Zoë"]
    assert [bool(entry.doubts) for entry in found.entries] == [False, False, True]
    assert "mixes encodings" in found.remark and "line 4" in found.remark


def test_a_guessed_encoding_is_said_with_each_name_that_it_touches() -> None:
    text = "Name,Email\nAnn,a@x.example\nSiân,s@x.example\n"

    found = csv_file.read(decode(text.encode("cp1252")))

    assert [bool(entry.doubts) for entry in found.entries] == [False, True]
    assert "does not say how" in found.remark


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1), max_size=6
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_no_cell_moves_to_another_row_or_column(
    names: list[str], delimiter: str, encoding: str
) -> None:
    out = io.StringIO()
    rows = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    rows.writerow(["Email", "Name", "Company"])
    for number, name in enumerate(names):
        rows.writerow([f"a{number}@x.example", name, f"Firm {number}"])

    found = csv_file.read(decode(out.getvalue().encode(encoding)))

    assert [(c.address, c.organisation) for c in found.cards] == [
        (f"a{number}@x.example", f"Firm {number}") for number in range(len(names))
    ]


@given(st.binary(max_size=300))
def test_any_octets_are_decoded_or_refused_with_a_sentence(data: bytes) -> None:
    try:
        csv_file.read(decode(b"Email\n" + data))
    except UnreadableFileError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"PK\x03\x04", "CSV UTF-8"), (b"!BDN", "Export the contacts as CSV")],
)
def test_a_file_of_another_kind_is_told_what_to_be(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFileError, match=sentence):
        decode(data + bytes(50))


@given(st.text())
def test_anything_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        read("Email," + text)
    except UnreadableFileError as error:
        assert str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_letters_of_every_program_are_read(encoding: str) -> None:
    assert decode("Name,Siân".encode(encoding)).text == "Name,Siân"


@pytest.mark.parametrize("data", [b"x" * (SIZE_LIMIT + 1), b"\xff\xfe\x00"])
def test_what_is_too_large_or_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        decode(data)
