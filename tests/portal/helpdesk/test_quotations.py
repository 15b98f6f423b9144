from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address
from portal.helpdesk.intake.quotations import OurMarks, separate

MARKS = OurMarks(
    Address.parse("helpdesk@secure.example"),
    frozenset({"Postern helpdesk", "Hugh"}),
    ("Trytheotheraddress.",),
)
FROM = "From: Postern helpdesk <helpdesk+12-0a1b@secure.example>"
HEADER = f"{FROM}\nSent: Monday\nTo: Bob\nSubject: RE: [PT-000012] Mail\n"


@pytest.mark.parametrize(
    "quotation",
    [
        "On Monday, Hugh wrote:\n> Which address?",
        "On Mon, 30 Nov, Us <\nhelpdesk+1-a@secure.example> wrote:\n\n> Q?\n>\n> Hugh",
        "Am 30.11.2026 um 09:12 schrieb helpdesk@secure.example:\n> Which?",
        "Le 30 nov. 2026, Postern <HELPDESK+12-0a1b@secure.example> a écrit :\n> Q",
        "> Try the\n> other address.",
        ">> Try the other\n\n>> address.",
        f"-----Original Message-----\n{HEADER}\nWhich address?",
        f"________________________________\n{HEADER}\nWhich address?",
        f"________________________________\n\n{HEADER}\nWhich address?",
        f"--------------------\n{HEADER}\nWhich address?",
        f"----- Ursprüngliche Nachricht -----\n{HEADER}\nWhich address?",
        f"{HEADER}\nWhich address?",
        f"*{FROM.replace(':', ':*')}\n*Sent:* Monday\n*To:* Bob\n\nWhich?",
        "Von: helpdesk@secure.example\nGesendet: Montag\nAn: Bob\nBetreff: AW\n\nWas?",
        "On Monday, helpdesk@secure.example wrote:\nWhich address?",
    ],
)
def test_a_quotation_of_ours_is_separated(quotation: str) -> None:
    fresh, quoted = separate(f"Yes, it was.\n\n{quotation}\n", MARKS)

    assert fresh == "Yes, it was."
    assert quoted == quotation


@pytest.mark.parametrize(
    "text",
    [
        "Yes.\n> No?\nBut yes.",
        "Yes.\n\n> No?\n> Maybe?",
        "> Try the other address.",
        "On Monday, Hugh wrote:\n> Which address?",
        "On Monday, Hugh wrote:\n> Which address?\nThat of the court.",
        "On Monday, helpdesk@secure.example wrote:\n\n> Which address?\n\nThe court's.",
        "My log says:\n\n> 550 5.7.1 relay denied",
        "On 27 November 2026, Shop <x@y.example> wrote:\n> Pay now",
        "Is it genuine?\n\n-----Original Message-----\nFrom: a@b.example\nSent: x\nTo: y",
        "Is it genuine?\n\n________________________________\nFrom: a\nSent: x\nTo: y",
        "Is it genuine?\n________________________________\nSecond part",
        f"Yours?\n\n---------- Forwarded message ---------\n{FROM}",
        "I wrote this:\nTo: helpdesk@secure.example\nand it came back.",
        "Dear Hugh, note this: it helps.",
        "From: Hughes\nSent: x\nTo: y\n\nText",
    ],
)
def test_what_else_looks_like_a_quotation_is_not(text: str) -> None:
    assert separate(text, MARKS) == (text, "")


lines = st.sampled_from(
    [
        "Yes.",
        "",
        " ",
        "> Try the other address.",
        ">",
        "> No?",
        "On Monday, Hugh wrote:",
        "On Monday,",
        FROM,
        "Sent: Monday",
        "To: Bob",
        "-----Original Message-----",
        "____________________",
        "helpdesk@secure.example:",
    ]
)


@given(st.lists(lines | st.text(max_size=60), max_size=30).map("\n".join))
def test_no_line_is_lost(text: str) -> None:
    fresh, quotation = separate(text, MARKS)

    assert bool(fresh) == bool(text.strip())
    kept = [line for line in f"{fresh}\n{quotation}".split("\n") if line.strip()]
    written = [line for line in text.strip().split("\n") if line.strip()]
    assert [one.strip() for one in kept] == [one.strip() for one in written]


@pytest.mark.parametrize(
    "line", [">", "> a:", "From: a", "On Monday wrote:", f"{FROM}", "a@" * 50, "-" * 90]
)
def test_a_long_text_is_separated_in_time_that_grows_with_it(line: str) -> None:
    text = f"Hello\n{line}\n" + f"{line}\n" * 200_000

    fresh, quotation = separate(f"{text}Goodbye", MARKS)

    assert fresh.startswith("Hello")
    assert len(fresh) + len(quotation) >= len(text)
