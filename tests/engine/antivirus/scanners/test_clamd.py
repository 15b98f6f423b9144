from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from engine.antivirus.scanners import clamd_failover
from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.interface import MAIL_HEADER, Scanner, ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState
from tests.engine.antivirus import specimens
from tests.fakes import RecordingClamd
from tests.peers.clamd import EICAR, SIGNATURE, Clamd

INFECTED = Verdict(VerdictState.INFECTED, SIGNATURE, "clamd")
CLEAN = Verdict(VerdictState.CLEAN, "", "clamd")


async def scan(scanner: Scanner, data: bytes, *, chunk: int = 10_000) -> Verdict:
    scan = scanner.open()
    for start in range(0, len(data), chunk):
        await scan.feed(data[start : start + chunk])
    return await scan.verdict()


@asynccontextmanager
async def fake_clamd(*, hears: int, says: bytes | None) -> AsyncIterator[ClamdScanner]:
    """Reads `hears` octets, then sends `says` and hangs up; None hangs."""
    has_hung_up = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if says is None:
            await reader.read()
        else:
            await reader.readexactly(hears)
            writer.write(says)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        has_hung_up.set()

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        server = await asyncio.start_unix_server(talk, path)
        async with server:
            yield ClamdScanner(path, patience=0.05)
            await has_hung_up.wait()


@pytest.mark.parametrize(
    "data",
    [
        specimens.plain(EICAR),
        specimens.message(EICAR),
        specimens.message(specimens.zipped(EICAR)),
        specimens.message(specimens.tarred(b"", specimens.gzipped(EICAR))),
        specimens.forwarded(specimens.zipped(EICAR)),
    ],
    ids=["plain", "attached", "zipped", "in a tar", "forwarded"],
)
async def test_scan_infected(clamd: Clamd, data: bytes) -> None:
    assert await scan(ClamdScanner(clamd.socket), data) == INFECTED


async def test_scan_clean(clamd: Clamd) -> None:
    verdict = await scan(ClamdScanner(clamd.socket), specimens.message(b"A brief."))

    assert verdict == CLEAN
    assert not verdict.is_infected


async def test_scan_encrypted_archive(clamd: Clamd) -> None:
    data = specimens.message(specimens.encrypted_zip())

    verdict = await scan(ClamdScanner(clamd.socket), data)

    assert (verdict.is_encrypted, verdict.is_infected) == (True, False)
    assert verdict.signature == "Heuristics.Encrypted.Zip"


async def test_an_encrypted_file_hides_no_virus_beside_it(clamd: Clamd) -> None:
    data = specimens.message(specimens.encrypted_zip(), EICAR)

    assert await scan(ClamdScanner(clamd.socket), data) == INFECTED


async def test_scan_in_any_chunks(clamd: Clamd) -> None:
    data = specimens.plain(EICAR)

    verdicts = [
        await scan(ClamdScanner(clamd.socket), data, chunk=chunk)
        for chunk in (1, 7, 1_000_000)
    ]

    assert verdicts == [INFECTED] * 3


@pytest.mark.slow
async def test_scan_large(clamd: Clamd) -> None:
    data = specimens.plain(b"A long line of evidence.\r\n" * 1_400_000 + EICAR)

    assert await scan(ClamdScanner(clamd.socket), data, chunk=65_536) == INFECTED


async def test_scan_many_at_once(clamd: Clamd) -> None:
    scanner = ClamdScanner(clamd.socket)
    messages = [specimens.plain(EICAR), specimens.plain(b"Hello.")] * 20

    verdicts = await asyncio.gather(*(scan(scanner, data) for data in messages))

    assert verdicts == [INFECTED, CLEAN] * 20


async def test_scan_empty(clamd: Clamd) -> None:
    assert await scan(ClamdScanner(clamd.socket), b"") == CLEAN


@pytest.mark.slow
async def test_scan_after_clamd_stops_and_returns() -> None:
    with tempfile.TemporaryDirectory() as folder:
        peer = Clamd(Path(folder))
        scanner = ClamdScanner(peer.socket)

        with pytest.raises(ScannerUnavailable) as refused:
            await scan(scanner, specimens.plain(b"Hello."))
        peer.start()
        verdict = await scan(scanner, specimens.plain(b"Hello."))
        peer.stop()

    assert verdict == CLEAN
    assert str(refused.value) == (
        "451 4.7.1 Cannot scan for viruses: the scanner cannot be reached; try again"
    )


async def test_scan_larger_than_clamd_takes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        peer = Clamd(Path(folder), stream_max_length="1M")
        peer.start()
        with pytest.raises(ScannerUnavailable, match="larger than the scanner takes"):
            await scan(ClamdScanner(peer.socket), bytes(8_000_000))
        peer.stop()


async def test_scan_where_clamd_hangs() -> None:
    async with fake_clamd(hears=0, says=None) as scanner:
        with pytest.raises(ScannerUnavailable, match="does not answer in time"):
            await scan(scanner, specimens.plain(b"Hello."))


async def test_scan_where_clamd_takes_nothing_in() -> None:
    """Without an accept, the socket's buffer fills up."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        listener.bind(f"{folder}/socket")
        listener.listen()
        scanner = ClamdScanner(f"{folder}/socket", patience=0.05)

        with pytest.raises(ScannerUnavailable, match="does not answer in time"):
            await scan(scanner, bytes(10_000_000))


@pytest.mark.parametrize(
    ("says", "what"),
    [
        (b"", "hung up"),
        (b"stream: ", "reported an error"),
        (b"stream: OKAY\0", "reported an error"),
        (b"stream: Can't allocate memory ERROR\0", "reported an error"),
        (b"INSTREAM: Can't write to temporary file. ERROR\0", "reported an error"),
        (b"UNKNOWN COMMAND\0", "reported an error"),
        (b"x" * 10_000, "reported an error"),
    ],
)
async def test_scan_where_clamd_says_neither(says: bytes, what: str) -> None:
    async with fake_clamd(hears=18, says=says) as scanner:
        with pytest.raises(ScannerUnavailable, match=what):
            await scan(scanner, b"Hello.")


async def test_scan_where_clamd_drops_the_connection() -> None:
    async with fake_clamd(hears=100, says=b"") as scanner:
        with pytest.raises(ScannerUnavailable):
            await scan(scanner, bytes(10_000_000))


async def test_scan_broken_off_never_sees_only_the_rest(clamd: Clamd) -> None:
    scan = ClamdScanner(clamd.socket).open()
    await scan.feed(specimens.plain(EICAR))
    await scan.abandon()

    with pytest.raises(ScannerUnavailable, match="broken off"):
        await scan.verdict()


async def test_scan_over_tcp() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(bytes(4))
        writer.write(b"stream: Eicar FOUND\0")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        verdict = await scan(ClamdScanner(f"127.0.0.1:{port}"), b"Hello.")

    assert verdict == Verdict(VerdictState.INFECTED, "Eicar", "clamd")


@pytest.fixture
def hosts() -> Iterator[list[RecordingClamd]]:
    """Two clamds, in folders with short paths."""
    with ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(2)]
        yield [stack.enter_context(RecordingClamd(Path(folder))) for folder in folders]


def targets(hosts: list[RecordingClamd]) -> list[str]:
    return [host.socket for host in hosts]


async def test_several_clamds_take_turns(hosts: list[RecordingClamd]) -> None:
    scanner = ClamdScanner(*targets(hosts))

    for _ in range(4):
        await scan(scanner, b"Hello.")

    assert [len(host.received) for host in hosts] == [2, 2]


@pytest.mark.parametrize("answer", [None, b"", b"stream: Out of memory ERROR\0"])
async def test_where_one_clamd_fails_the_next_hears_all_of_it(
    hosts: list[RecordingClamd], answer: bytes | None
) -> None:
    hosts[0].answer = answer
    scanner = ClamdScanner(*targets(hosts))

    verdicts = [await scan(scanner, b"Hello.", chunk=1) for _ in range(4)]

    assert verdicts == [CLEAN] * 4
    assert hosts[1].received == [MAIL_HEADER + b"Hello."] * 4
    # The failed scanner is skipped: one message tries it, and later ones do not.
    assert len(hosts[0].received) + hosts[0].hung_up == 1


async def test_one_that_cannot_be_reached_stops_nobody(
    hosts: list[RecordingClamd],
) -> None:
    scanner = ClamdScanner("/nowhere/clamd", hosts[0].socket)

    assert [await scan(scanner, b"Hello.") for _ in range(2)] == [CLEAN] * 2


async def test_one_that_was_left_out_must_answer_before_a_message_waits_for_it(
    hosts: list[RecordingClamd], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts[0].answer = None
    scanner = ClamdScanner(*targets(hosts))
    for _ in range(2):
        await scan(scanner, b"Hello.")
    monkeypatch.setattr(clamd_failover, "LEFT_OUT", 0.0)
    for _ in range(2):
        await scan(scanner, b"Hello.")
    heard_while_ill = len(hosts[0].received)
    hosts[0].answer = b"stream: OK\0"
    for _ in range(2):
        await scan(scanner, b"Hello.")

    assert hosts[0].pings >= 2
    assert (heard_while_ill, len(hosts[0].received)) == (0, 1)


async def test_when_all_fail_the_last_failure_is_shown(
    hosts: list[RecordingClamd],
) -> None:
    for host in hosts:
        host.answer = b""
    with pytest.raises(ScannerUnavailable, match="hung up"):
        await scan(ClamdScanner(*targets(hosts)), b"Hello.")


async def test_one_that_fails_when_octets_are_gone_is_left_out_next_time(
    hosts: list[RecordingClamd],
) -> None:
    hosts[0].answer = None
    scanner = ClamdScanner(*targets(hosts))
    outcomes = []
    for _ in range(3):
        try:
            outcomes.append(await scan(scanner, bytes(3_000_000), chunk=100_000))
        except ScannerUnavailable:
            outcomes.append(None)

    assert outcomes.count(CLEAN) >= 2
    assert all(len(heard) > 3_000_000 for heard in hosts[1].received)
