"""What search finds in long, nested, encrypted and broken messages, and what it reports."""

from __future__ import annotations

import tracemalloc
from base64 import encodebytes

import pytest

from engine.jobs.time_limit import JobTimeout
from engine.registry.models import IndexPass, Mailbox, Organisation, Person
from engine.storage import message_actions
from engine.storage.models import Content, FolderRole, GapReason, Message, SearchGap
from engine.storage.search import document, gaps, index_table, indexer, pieces
from engine.storage.search.find import find
from engine.storage.search.query_parser import parse
from engine.storage.standard_folders import folder
from tests.attachment_cases import CASES, letter
from tests.engine.storage.conftest import compose_message, deliver

FILLER = "the quick brown fox jumps over it again and again until the line is full\r\n"
MULTIPART = (
    b"From: jane@firm.example\r\nSubject: Bundle\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
)


def search(mailbox: Mailbox, typed: str) -> list[Message]:
    indexer.index_waiting()
    return find(parse(typed), mailbox).messages


def message_of(*parts: bytes) -> bytes:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts)
    return MULTIPART + body + b"--x--\r\n"


def text_part(text: str, *, encoding: str = "8bit", kind: str = "text/plain") -> bytes:
    octets = text.encode()
    if encoding == "base64":
        octets = encodebytes(octets).replace(b"\n", b"\r\n")
    return (
        f"Content-Type: {kind}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        + octets
    )


# Octets on either side of `document.LAID_OUT`.
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize("size", [300_000, 1_200_000])
def test_every_word_of_a_long_text_is_found(
    mailbox: Mailbox, encoding: str, kind: str, size: int
) -> None:
    filler = FILLER * (size // 2 // len(FILLER))
    text = f"Aardvark\r\n{filler}Middle ground\r\n{filler}The last Zebra\r\n"
    if kind == "text/html":
        text = text.replace("\r\n", "<br>\r\n")
    message = deliver(
        mailbox, message_of(text_part(text, encoding=encoding, kind=kind))
    )

    for typed in (
        "aardvark zebra",
        '"middle ground"',
        "zebra -unicorn",
        "subject:bundle",
    ):
        assert search(mailbox, typed) == [message]
    for typed in ("unicorn", "bundle -zebra", '"zebra middle"', "subject:zebra"):
        assert search(mailbox, typed) == []
    assert gaps.count(mailbox) == 0


@pytest.mark.parametrize("size", [1_000, 1_200_000])
def test_a_page_that_tells_its_charset_itself_is_found(
    mailbox: Mailbox, size: int
) -> None:
    filler = FILLER.replace("\r\n", "<br>\r\n") * (size // 2 // len(FILLER))
    html = f'<meta charset="windows-1251"><p>{filler}Судебное {filler}заседание</p>\r\n'
    part = b"Content-Type: text/html\r\n\r\n" + html.encode("cp1251")
    message = deliver(mailbox, message_of(part))

    assert search(mailbox, "судебное заседание") == [message]


def test_a_message_of_more_than_32_mib_is_found_by_its_words_and_files(
    mailbox: Mailbox,
) -> None:
    file = b"Content-Type: application/pdf; name=plan.pdf\r\n\r\n" + b"%" * 34_000_000
    message = deliver(mailbox, message_of(file, text_part("The last zebra")))

    assert indexer.catch_up(mailbox) == 1
    assert search(mailbox, "zebra filename:plan") == [message]
    assert indexer.catch_up(mailbox) == 0


@pytest.mark.any_database
def test_indexing_a_long_message_needs_little_memory_beyond_the_message(
    mailbox: Mailbox,
) -> None:
    text = "".join(f"word{n} and {n * 7}\r\n" for n in range(100_000))
    message = deliver(mailbox, message_of(text_part(text)))
    message = Message.objects.select_related("content", "mailbox").get(pk=message.pk)
    read = document.Document(message)
    tracemalloc.start()

    count = sum(1 for _ in read.pieces())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count > 50
    # The body is read once and divided into header and body, and a megabyte is decoded.
    assert peak < 3 * message.size + 12 * 1024**2


def test_a_phrase_is_found_that_a_cut_divides(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_WORDS", 40)
    words = [f"word{n}" for n in range(200)]
    message = deliver(mailbox, compose_message(text=" ".join(words)))

    for at in range(195):
        assert search(mailbox, f'"{" ".join(words[at : at + 5])}"') == [message]


def test_every_text_in_the_message_is_searched(mailbox: Mailbox) -> None:
    inner = b"From: Osei <osei@court.example>\r\nSubject: Adjournment\r\n\r\nInside words\r\n"
    event = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Case management\r\n  conference\r\n"
        b"LOCATION:Courtroom\\nseven\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    plain, rich = (
        text_part("plain only"),
        text_part("<p>rich only</p>", kind="text/html"),
    )
    both = (
        b'Content-Type: multipart/alternative; boundary="y"\r\n\r\n--y\r\n'
        + plain
        + b"\r\n--y\r\n"
        + rich
        + b"\r\n--y--"
    )
    message = deliver(
        mailbox,
        message_of(
            both,
            text_part("beside"),
            b"Content-Type: message/rfc822\r\n\r\n" + inner,
            b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + event,
            b'Content-Type: text/csv; name="costs.csv"\r\n\r\nfee,amount',
            b'Content-Type: image/png; name="Plan of S\xc3\xb8ndre.png"\r\n\r\nx',
        ),
    )

    for typed in (
        *("plain", "rich", "beside", "inside", "adjournment", "osei", "amount"),
        *('"management conference"', '"courtroom seven"', "filename:sondre"),
        "filename:costs",
    ):
        assert search(mailbox, typed) == [message], typed
    assert search(mailbox, "vevent") == []


def test_the_same_words_in_two_forms_are_indexed_once(mailbox: Mailbox) -> None:
    deliver(
        mailbox, compose_message(text="See the bundle", html="<p>See the bundle</p>")
    )
    message = Message.objects.select_related("content", "mailbox").get()

    (piece,) = document.Document(message).pieces()

    assert piece[pieces.Words.TEXT].count("bundle") == 1


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (
            (
                b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data;"
                b" name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"
            ),
            GapReason.ENCRYPTED,
        ),
        (
            b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
            GapReason.ENCRYPTED,
        ),
        (b"\r\n--x\r\n" * 1100, GapReason.TOO_MANY_PARTS),
    ],
)
def test_what_is_not_searched_whole_is_listed_with_the_reason(
    mailbox: Mailbox, part: bytes, reason: GapReason
) -> None:
    deliver(mailbox)
    message = deliver(mailbox, message_of(text_part("beside"), part))

    assert search(mailbox, "bundle beside") == [message]
    (gap,) = gaps.page(mailbox)
    assert (gap.message, gap.reason) == (message, reason)
    assert gap.explanation


def test_the_words_beyond_the_last_piece_are_reported(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MAX_PIECES", 2)
    message = deliver(
        mailbox, compose_message(text="aardvark " + "x y " * 9000 + "zebra")
    )

    assert search(mailbox, "aardvark") == [message]
    assert search(mailbox, "zebra") == []
    assert [gap.reason for gap in gaps.page(mailbox)] == [GapReason.TOO_LONG]


def test_a_fault_is_reported_and_blocks_no_other_message(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = deliver(mailbox), deliver(mailbox)
    texts = document.Document._texts

    def fail_for_the_last(self: document.Document):
        if self.message_id == last.pk:
            raise ValueError
        return texts(self)

    monkeypatch.setattr(document.Document, "_texts", fail_for_the_last)

    assert search(mailbox, "bundle") == [first]
    assert [(gap.message, gap.reason) for gap in gaps.page(mailbox)] == [
        (last, GapReason.FAULT)
    ]


def test_what_is_erased_leaves_no_piece_and_no_gap(mailbox: Mailbox) -> None:
    other = deliver(mailbox)
    message = deliver(mailbox, compose_message(text="zebra " * 20_000))
    indexer.index_waiting()
    index_table.note_gap(message.pk, mailbox.pk, GapReason.TOO_LONG)

    message_actions.erase([message.pk])

    assert search(mailbox, "zebra") == []
    assert search(mailbox, "hearing") == [other]
    assert not SearchGap.objects.exists()


def test_a_neighbour_finds_no_word_of_a_long_message(
    mailbox: Mailbox, charlie: Person
) -> None:
    deliver(mailbox, compose_message(text="zebra " * 20_000))

    assert search(charlie.mailbox, "zebra") == []
    assert search(charlie.mailbox, "-zebra") == []


def test_what_was_folded_in_an_earlier_way_is_indexed_again_in_steps(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "CHUNK", 2)
    messages = [deliver(mailbox, compose_message(text=f"Þóra {n}")) for n in range(5)]
    indexer.index_waiting()
    for message in messages:
        index_table.forget([message.pk])  # as if found by other words
    assert search(mailbox, "thora") == []
    IndexPass.objects.filter(pk="messages").update(version=0)

    assert indexer.index_waiting() == 0

    assert search(mailbox, "thora") == messages[::-1]
    assert IndexPass.objects.get(pk="messages").is_finished


@pytest.mark.parametrize("indexes_mail", [True, False])
def test_the_pass_over_earlier_mail_corrects_which_has_attachments(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, indexes_mail: bool
) -> None:
    monkeypatch.setattr(indexer, "CHUNK_OCTETS", 100_000)
    Organisation.objects.update(indexes_mail=indexes_mail)
    letters = [letter(case) for case in CASES] + [letter("a file", padding=200_000)]
    messages = [deliver(mailbox, one) for one in letters]
    indexer.index_waiting()
    for message in messages:  # as a version that went by the header alone
        Message.objects.filter(pk=message.pk).update(
            has_attachments=not message.has_attachments
        )
    Content.objects.update(has_attachments=None)
    IndexPass.objects.filter(pk="messages").update(version=0)

    while indexer.index_waiting():
        pass

    for message in messages:
        was = message.has_attachments
        message.refresh_from_db()
        assert message.has_attachments is was is CASES[message.subject]


def test_the_pass_over_earlier_mail_leaves_drafts_alone(mailbox: Mailbox) -> None:
    drafts = folder(mailbox, FolderRole.DRAFTS)
    draft = message_actions.append(drafts, compose_message(), is_draft=True)
    Message.objects.update(has_attachments=True)  # its files are kept beside it

    indexer.index_waiting()

    draft.refresh_from_db()
    assert draft.has_attachments


def test_a_message_that_takes_too_long_does_not_block_those_behind_it(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexer.index_waiting()  # which ends the pass over what is indexed already
    slow = deliver(mailbox, message_of(text_part(FILLER * 60_000)))
    put = index_table.put

    def put_slowly(found: document.Document) -> None:
        if found.message_id == slow.pk:
            raise JobTimeout
        put(found)

    monkeypatch.setattr(index_table, "put", put_slowly)
    with pytest.raises(JobTimeout):
        indexer.index_waiting()

    assert indexer.index_waiting() == 0
    assert SearchGap.objects.get(message_id=slow.pk).reason == GapReason.FAULT
