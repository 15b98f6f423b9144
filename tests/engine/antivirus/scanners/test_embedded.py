from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from engine.antivirus.formats import unpack_limits
from engine.antivirus.scanners.embedded import EmbeddedScanner
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState
from tests.engine.antivirus import specimens
from tests.peers.clamd import EICAR

INFECTED = Verdict(VerdictState.INFECTED, "Postern.Test.EICAR", "embedded")
CLEAN = Verdict(VerdictState.CLEAN, "", "embedded")


def unscannable(signature: str) -> Verdict:
    is_unread = signature in (unpack_limits.ENCRYPTED, unpack_limits.UNOPENED)
    state = VerdictState.ENCRYPTED if is_unread else VerdictState.INFECTED
    return Verdict(state, signature, "embedded")


@pytest.fixture
def scanner(tmp_path: Path) -> EmbeddedScanner:
    return EmbeddedScanner(tmp_path / "scanning")


async def scan(
    scanner: EmbeddedScanner, data: bytes, *, chunk: int = 65_536
) -> Verdict:
    scan = scanner.open()
    for start in range(0, len(data), chunk):
        await scan.feed(data[start : start + chunk])
    return await scan.verdict()


@pytest.mark.parametrize(
    "data",
    [
        specimens.plain(EICAR),
        specimens.message(EICAR),
        specimens.message(specimens.zipped(b"first", EICAR)),
        specimens.message(specimens.gzipped(EICAR)),
        specimens.message(specimens.tarred(b"first", b"", EICAR)),
        specimens.message(specimens.gzipped(specimens.tarred(EICAR))),
        specimens.message(b"MZ self-extracting" + specimens.zipped(EICAR)),
        specimens.message(specimens.nested(EICAR, depth=5)),
        specimens.forwarded(specimens.zipped(EICAR)),
        specimens.message(specimens.zipped(EICAR) + specimens.zipped(b"x")),
        specimens.message(specimens.zipped(b"x") + specimens.zipped(EICAR)),
        specimens.message(
            specimens.zipped(EICAR) + specimens.zipped(b"x") + specimens.zipped(b"y")
        ),
        specimens.message(
            specimens.commented(specimens.zipped(b"x"), specimens.zipped(EICAR))
        ),
        specimens.message(specimens.zipped(EICAR) + b"stub" + specimens.zipped(b"x")),
    ],
    ids=[
        "plain",
        "attached",
        "zipped",
        "gzipped",
        "in a tar",
        "in a compressed tar",
        "self-extracting",
        "five deep",
        "forwarded",
        "in the first of two joined zips",
        "in the second of two joined zips",
        "in the first of three joined zips",
        "in a zip's comment",
        "before a stub",
    ],
)
async def test_scan_infected(scanner: EmbeddedScanner, data: bytes) -> None:
    assert await scan(scanner, data) == INFECTED


@pytest.mark.parametrize(
    "attachment",
    [
        b"",
        b"A brief.",
        specimens.zipped(b"A brief.", b""),
        specimens.tarred(b"A brief.", b""),
        specimens.gzipped(specimens.tarred(b"A brief.")),
        specimens.nested(b"A brief.", depth=unpack_limits.MAX_DEPTH),
        specimens.zipped(b"x") + specimens.zipped(b"y"),
        specimens.commented(specimens.zipped(b"x"), b"As discussed."),
        specimens.stored(specimens.zipped(b"x"), specimens.zipped(b"y")),
        specimens.streamed(b"x", b"y" * 99_999),
    ],
    ids=[
        "empty",
        "text",
        "zip",
        "tar",
        "compressed tar",
        "just not too deep",
        "joined",
        "commented",
        "zips in a zip that does not compress",
        "written without seeking",
    ],
)
async def test_scan_clean(scanner: EmbeddedScanner, attachment: bytes) -> None:
    assert await scan(scanner, specimens.message(attachment)) == CLEAN


@pytest.mark.parametrize(
    ("attachment", "signature"),
    [
        (
            specimens.nested(b"x", depth=unpack_limits.MAX_DEPTH + 1),
            unpack_limits.LIMITS,
        ),
        (
            specimens.zipped(*[b""] * (unpack_limits.MAX_ENTRIES + 1)),
            unpack_limits.LIMITS,
        ),
        pytest.param(
            specimens.tarred(*[b""] * (unpack_limits.MAX_ENTRIES + 1)),
            unpack_limits.LIMITS,
            marks=pytest.mark.slow,
        ),
        (specimens.encrypted_zip(), unpack_limits.ENCRYPTED),
        (specimens.zipped(EICAR)[:-30], unpack_limits.UNREADABLE),
        (
            specimens.gzipped(random.Random(1).randbytes(999))[:-9],
            unpack_limits.UNREADABLE,
        ),
        (specimens.tarred(b"x" * 600)[:-9_600], unpack_limits.UNREADABLE),
        (specimens.unlisted(EICAR), unpack_limits.UNREADABLE),
        (specimens.unlisted(EICAR) + specimens.zipped(b"x"), unpack_limits.UNREADABLE),
        (specimens.disagreeing(b"x"), unpack_limits.UNREADABLE),
        (b"Rar!\x1a\x07\x01\0 and so on", unpack_limits.UNOPENED),
        (b"7z\xbc\xaf\x27\x1c and so on", unpack_limits.UNOPENED),
        (b"BZh9 and so on", unpack_limits.UNREADABLE),
    ],
    ids=[
        "too deep",
        "zip of too many",
        "tar of too many",
        "encrypted",
        "truncated zip",
        "truncated gzip",
        "truncated tar",
        "member that no directory lists",
        "member that no directory lists, before another archive",
        "member with two methods",
        "rar",
        "7z",
        "broken bzip2",
    ],
)
async def test_scan_what_cannot_be_looked_into(
    scanner: EmbeddedScanner, attachment: bytes, signature: str
) -> None:
    verdict = await scan(scanner, specimens.message(attachment))

    assert verdict == unscannable(signature)


@pytest.mark.slow
async def test_scan_bomb(scanner: EmbeddedScanner) -> None:
    verdict = await scan(scanner, specimens.message(specimens.bomb()))

    assert verdict == unscannable(unpack_limits.LIMITS)


@pytest.mark.parametrize("levels", [28, 29, 30, 31, 200])
async def test_scan_deepest_message(scanner: EmbeddedScanner, levels: int) -> None:
    """Messages nested deeper than the limit are not passed as clean."""
    inner = specimens.message(specimens.zipped(EICAR))
    for _ in range(levels):
        inner = b"Content-Type: message/rfc822\r\n\r\n" + inner

    assert (await scan(scanner, inner)).is_infected


async def test_scan_in_any_chunks(scanner: EmbeddedScanner) -> None:
    data = specimens.message(specimens.zipped(EICAR))

    verdicts = [await scan(scanner, data, chunk=chunk) for chunk in (1, 1_000_000)]

    assert verdicts == [INFECTED] * 2


@pytest.mark.slow
async def test_scan_large(scanner: EmbeddedScanner) -> None:
    attachment = random.Random(1).randbytes(10_000_000) + EICAR

    assert await scan(scanner, specimens.message(attachment)) == INFECTED


async def test_scan_many_at_once(scanner: EmbeddedScanner) -> None:
    messages = [specimens.message(EICAR), specimens.message(b"Hello.")] * 10

    verdicts = await asyncio.gather(*(scan(scanner, data) for data in messages))

    assert verdicts == [INFECTED, CLEAN] * 10


async def test_scan_leaves_nothing_behind(scanner: EmbeddedScanner) -> None:
    await scan(scanner, specimens.message(specimens.zipped(EICAR)))
    broken_off = scanner.open()
    await broken_off.feed(bytes(1_000_000))
    await broken_off.abandon()

    assert list(scanner.folder.iterdir()) == []


async def test_scan_broken_off_never_sees_only_the_rest(
    scanner: EmbeddedScanner,
) -> None:
    scan = scanner.open()
    await scan.feed(specimens.plain(EICAR))
    await scan.abandon()

    with pytest.raises(ScannerUnavailable, match="broken off"):
        await scan.feed(b"the rest")
    with pytest.raises(ScannerUnavailable, match="broken off"):
        await scan.verdict()


async def test_scan_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    scanner = EmbeddedScanner(tmp_path / "file" / "scanning")

    with pytest.raises(ScannerUnavailable, match="the scanner fails"):
        await scan(scanner, specimens.plain(EICAR))


async def test_an_encrypted_file_hides_no_virus_beside_it(
    scanner: EmbeddedScanner,
) -> None:
    data = specimens.message(specimens.encrypted_zip(), EICAR)

    assert (await scan(scanner, data)).is_infected
