"""Limits on the work that one message causes; `hostile_message` measures time."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from engine.registry.models import Person
from portal.webmail.compose import reply_drafts
from portal.webmail.models import DraftFile
from portal.webmail.rendering import (
    html_limits,
    message_html,
    message_page,
    parsed_message,
    plain_text,
)
from tests.portal.webmail.conftest import store_message
from tests.security.messages import MESSAGES

STEPS = 2_000_000  # function calls and returns, which take less than 200 ms
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
    document = message_html.document_of(opened.reading)

    root = html.fromstring(f"<div>{''.join(document.pieces)}</div>")
    assert sum(1 for _ in root.iter()) <= 2 * html_limits.ELEMENT_LIMIT
    assert len(reply_drafts._text(opened)) <= reply_drafts.QUOTE_LIMIT + 100


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_turned_into_text_in_so_many_steps(name: str) -> None:
    raw = MESSAGES[name]()

    def shown() -> None:
        plain_text.page(parsed_message.parse_message(raw).whole_text(), "")

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


@pytest.mark.parametrize("page", ["read", "print"])
def test_a_long_text_is_continued_on_the_next_page(
    as_bob: Client, bob: Person, page: str
) -> None:
    lines = [f"line {number} of many" for number in range(60_000)]
    message = store_message(bob.mailbox, text="\n".join(lines))
    address = reverse(f"webmail:{page}", args=[message.pk])

    shown, start = [], "0"
    while start:
        answer = as_bob.get(address, {"view": "text", "from": start}).content.decode()
        found = re.search(r"from=(\d+)", answer)
        start = found[1] if found else ""
        shown.append(answer)

    assert len(shown) == 3
    assert re.findall(r"line \d+ of many", "".join(shown)) == lines
    reply = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    assert reply_drafts.REST_LEFT_OUT in reply


def test_a_page_says_how_many_files_it_does_not_list(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, MESSAGES["files"]())

    shown = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()

    assert shown.count("app-files__file") == message_page.FILES_SHOWN
    assert "790 more are not listed" in shown


@pytest.mark.parametrize("way", ["forward", "edit_as_new"])
def test_a_message_with_very_many_files_is_carried_on_as_one(
    as_bob: Client, bob: Person, way: str
) -> None:
    message = store_message(bob.mailbox, MESSAGES["files"]())

    as_bob.post(reverse(f"webmail:{way}", args=[message.pk]))

    [kept] = DraftFile.objects.all()
    assert kept.name.endswith(".eml")
