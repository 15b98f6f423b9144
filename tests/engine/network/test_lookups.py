from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.conf import settings

from engine.network import lookups
from engine.network.dns import DnsUnavailable
from engine.network.lookups import Lookups
from portal.demo.dns_server import NameServer


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """A name server whose answers may be kept for a minute."""
    with NameServer(ttl=60) as server:
        monkeypatch.setattr(settings.POSTERN, "dns_servers", [server.server])
        yield server


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A name server that hears and never answers."""
    monkeypatch.setattr(lookups, "SECONDS_IN_ALL", 0.3)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as hearing:
        hearing.bind(("127.0.0.1", 0))
        hearing.setblocking(False)
        where = f"127.0.0.1:{hearing.getsockname()[1]}"
        monkeypatch.setattr(settings.POSTERN, "dns_servers", [where])
        yield hearing


def asked(silent: socket.socket) -> int:
    """How many questions arrived."""
    count = 0
    while True:
        try:
            silent.recv(4096)
        except BlockingIOError:
            return count
        count += 1


async def test_every_kind_of_record_and_their_lack(kept: NameServer) -> None:
    kept.add_text("firm.example", "v=spf1 " + "a " * 200 + "-all")
    kept.add("firm.example", "MX", "10 Mail.firm.example.")
    kept.add("firm.example", "A", "192.0.2.1")
    kept.add("1.2.0.192.in-addr.arpa", "PTR", "mail.firm.example.")
    found = Lookups()

    assert await found.records("Firm.example.", "TXT") == (
        "v=spf1 " + "a " * 200 + "-all",
    )
    assert await found.records("firm.example", "MX") == ("00010 Mail.firm.example",)
    assert await found.records("firm.example", "A") == ("192.0.2.1",)
    assert await found.records("1.2.0.192.in-addr.arpa", "PTR") == (
        "mail.firm.example",
    )
    assert await found.records("firm.example", "AAAA") == ()
    assert await found.records("other.example", "TXT") is None


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".example", "a." * 200 + "b"])
async def test_what_cannot_be_a_name_does_not_exist(
    kept: NameServer, name: str
) -> None:
    assert await Lookups().records(name, "TXT") is None


async def test_answers_are_kept_as_long_as_they_may_be(kept: NameServer) -> None:
    kept.add_text("firm.example", "first")
    before = [await Lookups().records(n, "TXT") for n in ("firm.example", "b.example")]
    kept.remove("firm.example", "TXT")
    kept.add_text("firm.example", "second")
    kept.add_text("b.example", "new")

    after = [await Lookups().records(n, "TXT") for n in ("firm.example", "b.example")]

    assert before == after == [("first",), None]


async def test_answers_that_may_not_be_kept_are_asked_again(
    name_server: NameServer,
) -> None:
    missing = await Lookups().records("firm.example", "TXT")
    name_server.add_text("firm.example", "new")

    assert missing is None
    assert await Lookups().records("firm.example", "TXT") == ("new",)


async def test_a_broken_server_is_unavailable_and_asked_again(kept: NameServer) -> None:
    kept.failing.add("firm.example")
    with pytest.raises(DnsUnavailable):
        await Lookups().records("firm.example", "TXT")
    kept.failing.clear()
    kept.add_text("firm.example", "here")

    assert await Lookups().records("firm.example", "TXT") == ("here",)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(DnsUnavailable):
        await Lookups(60).records("firm.example", "TXT")


async def test_all_names_of_a_message_share_its_time(silent: socket.socket) -> None:
    found = Lookups(0.1)
    for number in range(50):
        with pytest.raises(DnsUnavailable):
            await found.records(f"n{number}.firm.example", "TXT")

    # The first took all of the time: the others were hardly waited for.
    assert asyncio.get_running_loop().time() - found._until < 0.5


async def test_a_silent_server_is_not_asked_again_soon(silent: socket.socket) -> None:
    for _ in range(2):
        with pytest.raises(DnsUnavailable):
            await Lookups(1).records("firm.example", "TXT")

    assert asked(silent) == 1


async def test_a_question_that_found_no_place_is_asked_again(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "AT_ONCE", 1)
    found = Lookups(1)
    found.begin("first.firm.example", "TXT")
    found.begin("second.firm.example", "TXT")
    with pytest.raises(DnsUnavailable, match="too many"):
        await found.records("second.firm.example", "TXT")

    with pytest.raises(DnsUnavailable):
        await Lookups(1).records("second.firm.example", "TXT")
    assert asked(silent) == 2


def test_a_loop_that_ended_is_forgotten() -> None:
    gc.collect()
    before = len(lookups._names)

    async def look() -> None:
        with pytest.raises(DnsUnavailable):
            await Lookups(1).records("firm.example", "TXT")

    with asyncio.Runner() as runner:
        runner.run(look())
    del runner
    gc.collect()

    assert len(lookups._names) == before


async def test_sessions_that_ask_the_same_share_one_question(
    silent: socket.socket,
) -> None:
    found = await asyncio.gather(
        *(Lookups(0.1).records("firm.example", "TXT") for _ in range(20)),
        return_exceptions=True,
    )

    assert all(isinstance(one, DnsUnavailable) for one in found)
    assert asked(silent) == 1


async def test_what_is_needed_is_asked_at_once_and_no_more_of_it_than_allowed(
    silent: socket.socket,
) -> None:
    found = Lookups(0.1)
    for number in range(lookups.SENT_AHEAD + 10):
        found.begin(f"n{number}.firm.example", "TXT")
    with pytest.raises(DnsUnavailable):
        await found.records("n0.firm.example", "TXT")

    assert asked(silent) == lookups.SENT_AHEAD
