"""Checking for encryption costs budget, for each password and ASN.1 element."""

from __future__ import annotations

import pytest

from engine.antivirus.attachments import inspection, policy
from engine.antivirus.attachments.policy import File
from engine.antivirus.formats import pdf_encryption
from engine.antivirus.formats.inspection_budget import Budget, TooMuchError
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.mime import smime as smime_reader
from engine.mail.mime.part_walker import TooManyParts, walk
from tests import smime
from tests.engine.antivirus import pdfs, specimens

ENTITY = b"Content-Type: text/plain\r\n\r\n" + b"Good morning. " * 40


def saved_again(data: bytes, times: int) -> bytes:
    """Returns an encrypted PDF with more trailers: each time it is saved adds one."""
    reference = pdf_encryption._ENCRYPT.search(data)
    assert reference
    return data + b"trailer << " + reference[0] + b" >>\n%%EOF\n" * times


def with_locks(count: int) -> bytes:
    """Returns a PDF with so many encryption dictionaries without a password."""
    [lock] = pdf_encryption._locks(pdfs.OPEN_AES_256, Budget())
    again = b"/Encrypt << /V 5 /R 6 /P %d /O <00> /U <" + lock.user.hex().encode()
    return b"%PDF-1.7\n" + b"".join(again % n + b"> >>\n" for n in range(count))


@pytest.fixture
def tried(monkeypatch) -> list[object]:
    found: list[object] = []
    opens = pdf_encryption._opens_without

    def trying(lock: pdf_encryption._Lock) -> bool:
        found.append(lock)
        return opens(lock)

    monkeypatch.setattr(pdf_encryption, "_opens_without", trying)
    return found


def spent(data: bytes) -> int:
    budget = Budget()
    before = budget.octets
    assert not pdf_encryption.needs_password(data, budget)
    return before - budget.octets


@pytest.mark.parametrize("times", [1, 9, 40])
def test_a_pdf_that_was_saved_often_is_carried(times: int, tried: list[object]) -> None:
    data = saved_again(pdfs.OPEN_AES_256, times)

    policy.check_can_carry([File("form.pdf", "", data)])

    assert len(tried) == 1
    assert (
        spent(data) < pdf_encryption.LOCK + 2 * len(data) + 50 * pdf_encryption.MENTION
    )


def test_each_lock_is_paid_for(tried: list[object]) -> None:
    assert spent(with_locks(5)) >= 5 * pdf_encryption.LOCK
    assert len(tried) == 5


def test_the_same_lock_is_tried_once(tried: list[object]) -> None:
    data = with_locks(1)

    assert spent(data + data * 8) < 2 * pdf_encryption.LOCK
    assert len(tried) == 1


def test_more_locks_than_anybody_tries_are_refused(tried: list[object]) -> None:
    many = specimens.zipped_under({f"{n}.pdf": with_locks(9) for n in range(150)})

    with pytest.raises(PermanentFailure, match="more files than can be looked into"):
        policy.check_can_carry([File("papers.zip", "", many)])
    assert len(tried) <= Budget().octets // pdf_encryption.LOCK


def pieces(count: int) -> bytes:
    """Returns a signed message in BER, written in segments of one octet."""
    return smime.loosened(smime.signed(ENTITY[:count]), 1)


def test_each_element_of_a_signature_is_paid_for() -> None:
    budget = Budget()
    before = budget.octets

    list(inspection.find(File("a.p7m", "", pieces(300)), budget))

    assert before - budget.octets >= 300 * inspection.ELEMENT


def test_more_elements_than_anybody_reads_are_refused() -> None:
    budget = Budget(octets=10_000)

    with pytest.raises(TooMuchError):
        list(inspection.find(File("a.p7m", "", pieces(300)), budget))


@pytest.mark.parametrize(
    "data", [smime.detached(ENTITY), smime.signed(ENTITY), smime.enveloped(ENTITY)]
)
def test_a_signature_is_read_once(data: bytes, monkeypatch) -> None:
    seen: list[bytes] = []
    read = smime_reader.read
    monkeypatch.setattr(
        smime_reader, "read", lambda data: seen.append(data) or read(data)
    )

    list(inspection.find(File("a.p7m", "", data), Budget()))

    assert seen.count(data) == 1


def test_signatures_in_one_message_are_read_up_to_a_limit_together() -> None:
    part = smime.message(pieces(300)).partition(b"MIME-Version: 1.0\r\n")[2]
    header = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"

    def read(count: int) -> int:
        raw = header + (b"--b\r\n" + part + b"\r\n") * count + b"--b--\r\n"
        return len(list(walk(*split(raw), strict=True)))

    assert read(9) == 18
    with pytest.raises(TooManyParts):
        read(smime_reader.MAX_ELEMENTS // 300 + 1)


@pytest.mark.parametrize(
    "data", [pdfs.OPEN_AES_256, smime.signed(ENTITY), smime.enveloped(ENTITY)]
)
def test_what_takes_long_is_not_looked_at_on_the_event_loop(data: bytes) -> None:
    raw = specimens.message(data).replace(b"\n", b"\r\n")

    quick = [policy.is_quick(part) for part in walk(*split(raw))]

    assert quick == [True, False]
