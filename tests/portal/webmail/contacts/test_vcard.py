from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.webmail.contacts import vcard
from portal.webmail.contacts.contact_card import (
    ADDRESSES_LIMIT,
    CARDS_LIMIT,
    Card,
    Entry,
    ParsedCards,
    UnreadableFileError,
)
from portal.webmail.contacts.file_text import decode

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

EXCHANGE = """BEGIN:VCARD\r
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
OUTLOOK = """BEGIN:VCARD\r
VERSION:2.1\r
X-MS-SIGNATURE:YES\r
N;LANGUAGE=en-gb:Jones;Siân\r
FN:Jones, Siân\r
ORG:Firm Solicitors, Leeds;Litigation\r
NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=windows-1252:Caf=E9 in C:\\new, =\r
at four=0D=0A=\r
and later\r
TEL;WORK;FAX:020 7946 0999\r
TEL;WORK;VOICE:020 7946 0000\r
ADR;WORK;PREF;ENCODING=QUOTED-PRINTABLE:;;1 High Street=0D=0AFloor 2;Leeds\r
X-MS-OL-DEFAULT-POSTAL-ADDRESS:2\r
EMAIL;INTERNET:other@firm.example\r
EMAIL;PREF;INTERNET:sian@firm.example\r
PHOTO;TYPE=JPEG;ENCODING=BASE64:\r
 /9j/4AAQSkZJRgABAQEAYABgAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAEAAAAA\r
 AAD/\r
\r
X-MS-OL-DESIGN;CHARSET=utf-8:<card xmlns="http://schemas.example/outlook"/>\r
REV:20261130T040000Z\r
END:VCARD\r
"""
ANDROID = """BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C5=81=75=6B=61=73;=5A=6F=C3=AB;=\r
=41=6E=6E;;\r
TEL;CELL;PREF:07700900123\r
EMAIL;HOME:zoe@home.example\r
NOTE;CHARSET=UTF-8;encoding=quoted-printable:=47=72=C3=BC=C3=9F=65\r
PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD\r
 AAAAB\r
\r
END:VCARD\r
"""
IPHONE = """BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iPhone OS 26.1//EN
N:O’Brien;Zoë;;;
FN:Zoë O’Brien
ORG:Chambers;
item1.EMAIL;type=INTERNET;type=HOME:zoe@home.example
item2.EMAIL;type=INTERNET;type=pref:zoe@chambers.example
item2.X-ABLabel:_$!<Other>!$_
TEL;type=CELL;type=VOICE;type=pref:+44 7700 900123
item3.ADR;type=WORK:;;1 High Street\\nFloor 2;Leeds;;;UK
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD
  AAAAB
END:VCARD
"""
NEWEST = """BEGIN:VCARD
VERSION:4.0
KIND:individual
FN;LANGUAGE=cy:Siân Ifans
FN;LANGUAGE=en;PREF=1:Siân Evans
EMAIL;TYPE="home,x:y;z":sian@home.example
EMAIL;PREF=2:second@firm.example
EMAIL;PREF=1:mailto:first@firm.example
TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+44-20-7946-0000;ext=5102
NOTE:First
NOTE:Second\\, too
PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD
END:VCARD
"""


def read(text: str) -> ParsedCards:
    return vcard.read(decode(text.encode()))


def entry_of(*lines: str, version: str = "3.0") -> Entry:
    """The only entry of a card with these lines and an address."""
    card = ["BEGIN:VCARD", f"VERSION:{version}", "EMAIL:jane@firm.example", *lines]
    [entry] = read("\r\n".join([*card, "END:VCARD", ""])).entries
    return entry


def test_a_card_of_exchange_is_read() -> None:
    shared = {
        "name": "Jane Jones",
        "organisation": "Firm Solicitors, Leeds",
        "phone": "020 7946 0000",
        "note": "Calls back after four",
        "groups": ("Court", "Firm"),
    }

    assert read(EXCHANGE).entries == [
        Entry("Card 1 (Jane Jones)", Card(address=address, **shared))
        for address in ("jane@firm.example", "jane@home.example")
    ]


def test_a_card_of_outlook_is_read() -> None:
    """vCard 2.1 escapes no commas, no backslashes, and breaks lines softly."""
    found = read(OUTLOOK)

    assert [card.address for card in found.cards] == [
        "sian@firm.example",
        "other@firm.example",
    ]
    assert found.cards[0] == Card(
        "Jones, Siân",
        "sian@firm.example",
        "Firm Solicitors, Leeds",
        "020 7946 0000",
        "Café in C:\\new, at four and later",
    )
    assert [entry.doubts for entry in found.entries] == [(), ()]


def test_a_card_of_android_is_read() -> None:
    [entry] = read(ANDROID).entries

    assert entry == Entry(
        "Card 1 (Zoë Ann Łukas)",
        Card("Zoë Ann Łukas", "zoe@home.example", "", "07700900123", "Grüße"),
    )


def test_a_card_of_an_iphone_is_read() -> None:
    found = read(IPHONE)

    assert [entry.doubts for entry in found.entries] == [(), ()]
    assert found.cards == [
        Card("Zoë O’Brien", address, "Chambers", "+44 7700 900123")
        for address in ("zoe@chambers.example", "zoe@home.example")
    ]


def test_a_card_of_the_newest_version_is_read() -> None:
    found = read(NEWEST)

    assert [card.address for card in found.cards] == [
        "first@firm.example",
        "second@firm.example",
        "sian@home.example",
    ]
    card = found.cards[0]
    assert (card.name, card.phone) == ("Siân Evans", "+44-20-7946-0000")
    assert card.note == "First Second, too"


def test_a_name_in_parts_is_put_together() -> None:
    card = "BEGIN:VCARD\nN:Jones;Siân\nEMAIL:s@x.example\nEND:VCARD"

    assert read(card).cards[0].name == "Siân Jones"


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c"])
def test_a_card_without_an_address_is_told_by_its_place(address: str) -> None:
    found = read(f"BEGIN:VCARD\nFN:Ann\nEMAIL:{address}\nEND:VCARD\n" + NEWEST)

    assert [problem.place for problem in found.problems] == ["Card 1 (Ann)"]
    assert len(found.cards) == 3


def test_one_wrong_address_leaves_the_others() -> None:
    found = read("BEGIN:VCARD\nFN:A\nEMAIL:no one\nEMAIL:a@x.example\nEND:VCARD")

    assert [card.address for card in found.cards] == ["a@x.example"]
    assert "no one" in found.problems[0].reason


def test_an_escaped_backslash_does_not_escape_what_follows_it() -> None:
    written = Card("Ann", "ann@x.example", "Firm\\", groups=("\\", "Court"))

    assert read(vcard.write([written])).cards == [written]
    text = "BEGIN:VCARD\nEMAIL:a@x.example\nORG:Firm\\\\;Litigation\nEND:VCARD"
    assert read(text).cards[0].organisation == "Firm\\"


def test_a_card_inside_another_leaves_it_whole() -> None:
    agent = "AGENT:\nBEGIN:VCARD\nFN:Ann\nEMAIL:ann@x.example\nEND:VCARD\n"

    found = read(f"BEGIN:VCARD\nFN:Jane\n{agent}EMAIL:j@x.example\nEND:VCARD\n")

    assert found.cards == [Card("Jane", "j@x.example")]


@pytest.mark.parametrize("rest", ["", "BEGIN:VCARD\nEMAIL:a@x.example\nEND:VCARD\n"])
def test_a_card_that_breaks_off_is_doubtful(rest: str) -> None:
    first, *_ = read(f"BEGIN:VCARD\nFN:Jane\nEMAIL:j@x.example\n{rest}").entries

    assert first.card == Card("Jane", "j@x.example")
    assert "breaks off" in first.doubts[0]


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ('FN;TYPE="work:Jane', "cannot be read"),
        ("FN;CHARSET=x,utf-8:Jane", "cannot be decoded"),
        ("FN;ENCODING=QUOTED-PRINTABLE,8BIT:Jane", "cannot be decoded"),
        ("FN;ENCODING=B:J ne*", "cannot be decoded"),
        ("FN;ENCODING=QUOTED-PRINTABLE:Si=E2n", "Western European"),
        ("FN;ENCODING=QUOTED-PRINTABLE;CHARSET=unicode-escape:Si=E2n", "Western"),
        ("FN:Jane\r\nand more of her", "belongs to no field"),
        ("FN:SiÃ¢n", "may have been “Siân”"),
        ("FN:Si?n", "may be lost"),
        ("FN:Si=C3=A2n", "not decoded"),
        ("FN:Smith &amp; Co", "not decoded"),
        (f"NOTE:{'word ' * 101}", "longer than 500"),
        (f"NOTE:{'x' * 20_000}", "too long"),
        ("CATEGORIES:" + ",".join(f"g{n}" for n in range(21)), "first 20 groups"),
        ("X-OTHER:1", ""),
    ],
)
def test_what_may_be_garbled_is_doubted(line: str, doubt: str) -> None:
    entry = entry_of(line)

    assert doubt in ". ".join(entry.doubts)
    assert bool(entry.doubts) == bool(doubt)


def test_letters_in_their_own_encoding_are_read() -> None:
    text = (
        "BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=ISO-8859-2:Łukasz\n"
        "EMAIL:l@x.example\nEND:VCARD\n"
    ).encode("iso-8859-2")

    [entry] = vcard.read(decode(text)).entries

    assert (entry.card.name, entry.doubts) == ("Łukasz", ())


def test_letters_of_a_guessed_encoding_are_doubted() -> None:
    text = "BEGIN:VCARD\nFN:{}\nEMAIL:{}@x.example\nEND:VCARD\n"
    joined = text.format("Siân", "s").encode() + text.format("Zoë", "z").encode(
        "cp1252"
    )

    found = vcard.read(decode(joined))

    assert [entry.card.name for entry in found.entries] == ["Siân", "Zoë"]
    assert [bool(entry.doubts) for entry in found.entries] == [False, True]
    assert "mixes encodings" in found.remark


def test_two_names_for_one_address_are_doubted() -> None:
    text = "BEGIN:VCARD\nFN:{}\nEMAIL:office@x.example\nEND:VCARD\n"

    first, second, third = read(
        "".join(map(text.format, ("Ann", "Ann", "Bob")))
    ).entries

    assert (first.doubts, second.doubts) == ((), ())
    assert third.doubts == ("Card 1 (Ann) has this address for Ann",)


@given(st.lists(CARDS, min_size=1, max_size=4))
def test_what_is_written_is_read_back(cards: list[Card]) -> None:
    written = vcard.write(cards)

    assert read(written).cards == cards
    assert max(len(line.encode()) for line in written.split("\r\n")) <= 75


NAMES = st.text(
    st.characters(blacklist_categories=("C", "Z"), blacklist_characters="\\;"),
    min_size=1,
    max_size=40,
)


@given(NAMES, st.sampled_from(["utf-8", "iso-8859-1", "windows-1252"]), st.booleans())
def test_quoted_printable_of_any_letters_is_read(
    name: str, charset: str, lower: bool
) -> None:
    octets = name.encode(charset, "ignore") or b"Jane"
    encoded = "".join(
        f"={octet:02X}" + ("=\r\n" if n % 20 == 19 else "")
        for n, octet in enumerate(octets)
    )
    word = "quoted-printable" if lower else "QUOTED-PRINTABLE"

    entry = entry_of(f"FN;ENCODING={word};CHARSET={charset}:{encoded}", version="2.1")

    assert entry.card.name == " ".join(octets.decode(charset).split())


@given(st.text())
def test_anything_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        read("BEGIN:VCARD\n" + text + "\nEND:VCARD")
    except UnreadableFileError as error:
        assert str(error)


PIECES = st.sampled_from(
    [
        *("FN", "EMAIL", "item1.", "NOTE", ";", ":", "=", ",", '"', "\\", "\r\n", " "),
        *("ENCODING=QUOTED-PRINTABLE", "CHARSET=", "utf-8", "BASE64", "a@b.example"),
        *("BEGIN:VCARD\n", "END:VCARD\n", "AGENT:\n", "VERSION:2.1\n", "=C3", "é"),
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_order_of_what_cards_are_made_of_is_read_or_doubted(text: str) -> None:
    found = read(f"BEGIN:VCARD\n{text}\nEND:VCARD\n")

    assert all(entry.card.address for entry in found.entries)


def test_too_many_cards_are_refused() -> None:
    with pytest.raises(UnreadableFileError, match="in parts"):
        read("BEGIN:VCARD\nEMAIL:a@b.example\nEND:VCARD\n" * (CARDS_LIMIT + 1))


def test_too_many_addresses_of_one_card_are_left_out_and_said() -> None:
    lines = "".join(f"EMAIL:a{n}@x.example\n" for n in range(ADDRESSES_LIMIT + 1))

    found = read(f"BEGIN:VCARD\nFN:A\n{lines}END:VCARD\n")

    assert len(found.entries) == ADDRESSES_LIMIT
    assert "first 20 addresses" in found.entries[0].doubts[0]


def test_a_photograph_costs_no_memory() -> None:
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + "\r\n ".join(["A" * 74] * 24_000)
    file = decode(f"BEGIN:VCARD\r\n{photo}\r\nEMAIL:a@x.example\r\nEND:VCARD".encode())

    tracemalloc.start()
    [entry] = vcard.read(file).entries
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert entry.doubts == ()
    # The lines of the file, once, and nothing put together.
    assert peak < 4 * len(file.text)
