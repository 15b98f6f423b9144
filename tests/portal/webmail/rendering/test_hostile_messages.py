"""Limits on the work that one message causes; `hostile_message` measures time."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from engine.registry.models import Person
from portal.webmail.compose import reply_drafts
from portal.webmail.models import DraftFile
from portal.webmail.rendering import html_limits, parsed_message, plain_text
from tests.portal.webmail.conftest import store_message
from tests.security.messages import MESSAGES

STEPS = 1_100_000  # function calls and returns, which take less than 100 ms
PAGE = 4 * 1024 * 1024  # octets
PAGES = ("read", "print", "source", "reply", "reply_all")


def steps(act: Callable[[], object]) -> int:
    """Counts calls and returns, which are the same on every machine."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_shown_of_a_message_is_bounded(name: str) -> None:
    opened = parsed_message.parse_message(MESSAGES[name]())
    safe = opened.safe_html()

    if safe is not None and safe.html.strip():
        root = html.fromstring(f"<div>{safe.html}</div>")
        assert sum(1 for _ in root.iter()) <= 2 * html_limits.ELEMENT_LIMIT
    assert len(opened.as_text(safe)) <= plain_text.LENGTH_LIMIT
    assert len(opened.shown_files) <= parsed_message.FILES_SHOWN
    assert len(reply_drafts._text(opened)) <= reply_drafts.QUOTE_LIMIT + 100


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_turned_into_text_in_so_many_steps(name: str) -> None:
    raw = MESSAGES[name]()

    def shown() -> None:
        plain_text.linked(parsed_message.parse_message(raw).as_text())

    assert steps(shown) <= STEPS


@pytest.mark.parametrize(
    "name",
    ["many shallow lists in lists", "recipients", "files", "short lines", "large"],
)
def test_a_page_of_a_message_is_bounded(
    as_bob: Client, bob: Person, django_assert_max_num_queries, name: str
) -> None:
    message = store_message(bob.mailbox, MESSAGES[name]())

    for page in PAGES:
        with django_assert_max_num_queries(60):
            answer = as_bob.get(reverse(f"webmail:{page}", args=[message.pk]))
        assert answer.status_code == 200
        assert len(answer.content) < PAGE


def test_a_page_says_that_it_shows_a_part(as_bob: Client, bob: Person) -> None:
    for name in ("one word", "large"):
        message = store_message(bob.mailbox, MESSAGES[name]())
        for page in ("read", "print"):
            address = reverse(f"webmail:{page}", args=[message.pk])
            shown = as_bob.get(address, {"view": "text"}).content.decode()
            assert "The message is shown in part" in shown
            assert reverse("webmail:original", args=[message.pk]) in shown
        reply = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
        assert reply_drafts.REST_LEFT_OUT in reply


def test_a_page_says_how_many_files_it_does_not_list(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, MESSAGES["files"]())

    shown = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()

    assert shown.count("app-files__file") == parsed_message.FILES_SHOWN
    assert "790 more are not listed" in shown


@pytest.mark.parametrize("way", ["forward", "edit_as_new"])
def test_a_message_with_very_many_files_is_carried_on_as_one(
    as_bob: Client, bob: Person, way: str
) -> None:
    message = store_message(bob.mailbox, MESSAGES["files"]())

    as_bob.post(reverse(f"webmail:{way}", args=[message.pk]))

    [kept] = DraftFile.objects.all()
    assert kept.name.endswith(".eml")
