from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from engine.mail.header import HeaderBlock
from engine.registry.models import Person
from engine.storage import addressees, message_actions
from engine.storage.addressees import COUNTED, SHOWN, Addressees
from engine.storage.standard_folders import inbox


def read(header: str) -> Addressees:
    return addressees.read(HeaderBlock.parse(header.encode()))


def test_each_recipient_is_named_once_whatever_the_field() -> None:
    found = read("Cc: b@x.example, A@x.example\r\nTo: Ann <a@x.example>\r\n")

    assert [(one.name, str(one.address)) for one in found.first] == [
        ("Ann", "a@x.example"),
        ("", "b@x.example"),
    ]
    assert found.more == 0


def test_a_message_to_nobody_but_blind_copies_names_those() -> None:
    found = read("Bcc: b@x.example, c@x.example, d@x.example\r\n")

    assert str(found.first[0].address) == "b@x.example"
    assert found.more == 1


@pytest.mark.parametrize(("count", "more"), [(COUNTED, COUNTED - SHOWN), (400, None)])
def test_counting_stops_somewhere(count: int, more: int | None) -> None:
    crowd = ", ".join(f"n{number}@x.example" for number in range(count))

    assert read(f"To: {crowd}\r\n").more == more


def test_what_is_no_address_is_shown_as_it_is_written() -> None:
    assert read("To: undisclosed-recipients:;\r\n").text == "undisclosed-recipients:;"
    assert read("Subject: x\r\n") == Addressees()


@given(st.binary(max_size=200))
def test_a_name_never_stands_without_an_address(octets: bytes) -> None:
    found = addressees.read(HeaderBlock.salvage(b"To: " + octets + b"\r\n"))

    assert len(found.first) <= SHOWN
    assert all(one.address.local for one in found.first)


@pytest.mark.django_db
def test_all_messages_are_looked_up_at_once(
    bob: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [
        message_actions.append(
            inbox(bob.mailbox), f"To: n{n}@x.example\r\n\r\n".encode()
        )
        for n in range(30)
    ]

    with django_assert_num_queries(1):
        found = addressees.of_messages(rows)

    assert [str(found[row.pk].first[0].address) for row in rows] == [
        f"n{n}@x.example" for n in range(30)
    ]
    with django_assert_num_queries(0):
        assert addressees.of_messages([]) == {}
