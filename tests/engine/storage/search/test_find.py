from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.mail.composer import Attachment
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.search import indexer
from engine.storage.search.find import find
from engine.storage.search.query_parser import QueryError, parse
from engine.storage.standard_folders import folder
from tests.engine.storage.conftest import compose_message, deliver, named_address
from tests.engine.storage.search.test_query import PIECES

PDF = Attachment("Bundle K.R. volume-2.pdf", "application/pdf", b"%PDF-1.7")


def search(mailbox: Mailbox, typed: str) -> list[Message]:
    indexer.catch_up(mailbox)
    return find(parse(typed), mailbox).messages


@pytest.mark.parametrize(
    "typed",
    [
        *("hearing", "HEARING", "bundle", '"see the bundle"', "hear*", "jane"),
        *("from:jane", "from:firm.example", "to:bob", "subject:monday", "-holiday"),
        *(
            "holiday OR bundle",
            "is:unread",
            "smaller:5M",
            "in:inbox",
            "after:2000-01-01",
        ),
        *("from:jane@firm.example.secure.example", 'subject:"hearing on"'),
    ],
)
def test_a_message_is_found_by_its_words_and_facts(
    mailbox: Mailbox, typed: str
) -> None:
    message = deliver(mailbox)

    assert search(mailbox, typed) == [message]


@pytest.mark.parametrize(
    "typed",
    [
        *("holiday", '"bundle the see"', "from:bob", "to:jane", "subject:bundle"),
        *("hearing -bundle", "is:read", "is:flagged", "has:attachment", "larger:5M"),
        *("in:archive", "before:2000-01-01", "cc:bob", "hear", "mond*y"),
    ],
)
def test_a_message_is_not_found_by_what_it_is_not(mailbox: Mailbox, typed: str) -> None:
    deliver(mailbox)

    assert search(mailbox, typed) == []


def test_names_are_found_without_accents_and_apostrophes(mailbox: Mailbox) -> None:
    message = deliver(
        mailbox, compose_message(text="Siân O'Neill and Siôn O\u2019Neill")
    )

    assert search(mailbox, "sian oneill") == [message]
    assert search(mailbox, "Siôn") == [message]


def test_files_and_copies_are_fields_of_their_own(mailbox: Mailbox) -> None:
    cc = [named_address("Vera Ward", "vera@secure.example")]
    message = deliver(mailbox, compose_message(attachments=[PDF], cc=cc))

    assert search(mailbox, "filename:volume") == [message]
    assert search(mailbox, "has:attachment bundle") == [message]
    assert search(mailbox, "cc:vera") == [message]
    assert search(mailbox, "to:vera") == []


def test_a_phrase_does_not_run_from_the_subject_into_the_text(mailbox: Mailbox) -> None:
    deliver(mailbox)

    assert search(mailbox, '"monday please"') == []


def test_nobody_finds_the_mail_of_another(mailbox: Mailbox, charlie: Person) -> None:
    deliver(mailbox)

    assert search(charlie.mailbox, "hearing") == []
    assert search(charlie.mailbox, f"mailbox{mailbox.pk}mailbox") == []


def test_what_was_thrown_away_is_found_only_where_it_lies(mailbox: Mailbox) -> None:
    message = deliver(mailbox)
    message_actions.move([message], folder(mailbox, FolderRole.TRASH))

    assert search(mailbox, "hearing") == []
    assert search(mailbox, "hearing in:deleted") == [message]
    assert search(mailbox, "hearing in:anywhere") == [message]


def test_a_folder_that_is_not_there_is_named(mailbox: Mailbox) -> None:
    with pytest.raises(QueryError, match="No folder is called “cases”"):
        search(mailbox, "in:cases")


def test_what_is_erased_leaves_no_word_behind(mailbox: Mailbox) -> None:
    message = deliver(mailbox)
    indexer.index_waiting()

    message_actions.erase([message.pk])

    assert search(mailbox, "hearing in:anywhere") == []
    assert indexer.index_waiting() == 0


def test_older_ones_are_on_the_next_page(mailbox: Mailbox) -> None:
    messages = [deliver(mailbox) for _ in range(5)][::-1]
    indexer.index_waiting()

    first = find(parse("hearing"), mailbox, limit=2)
    second = find(parse("hearing"), mailbox, limit=3, before=first.messages[-1].pk)

    assert first.messages == messages[:2]
    assert first.has_older
    assert second.messages == messages[2:]
    assert not second.has_older


def test_the_sweep_finds_what_no_job_indexed(mailbox: Mailbox) -> None:
    deliver(mailbox)

    assert indexer.index_waiting() == 1
    assert indexer.index_waiting() == 0


def test_broken_and_hostile_messages_are_indexed_too(mailbox: Mailbox) -> None:
    deliver(mailbox, b"\x00\xff no header at all")
    deliver(mailbox, b"Subject: =?utf-8?b?////?= '; DROP TABLE x; --\r\n\r\n\x00'\\")
    deliver(
        mailbox, compose_message(text="word " * 100_000 + "\u202e\U0001f600 'quote' \\")
    )

    assert indexer.index_waiting() == 3
    assert len(search(mailbox, "drop table")) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map("".join)))
def test_nothing_typed_breaks_the_search(mailbox: Mailbox, typed: str) -> None:
    try:
        find(parse(typed), mailbox)
    except QueryError as refusal:
        assert str(refusal)


def test_a_message_of_words_that_swell_is_indexed_as_far_as_there_is_room(
    mailbox: Mailbox,
) -> None:
    """One letter expands to five, and exceeds the size of a tsvector."""
    squares = [chr(code) for code in range(0x3300, 0x3358)]
    words = [
        "".join(squares[(n // 88**k) % 88] for k in range(3)) + "\u3300" * 9
        for n in range(7000)
    ]
    deliver(mailbox, compose_message(text=" ".join(words)))
    deliver(mailbox, compose_message(subject="Lunch"))

    assert len(search(mailbox, "subject:hearing")) == 1
    assert len(search(mailbox, "lunch")) == 1
