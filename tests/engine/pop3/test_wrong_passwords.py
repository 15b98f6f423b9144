"""Wrong app passwords slow down what follows them, and nobody else."""

from __future__ import annotations

import asyncio
import poplib
import time
from collections.abc import Callable

from engine.registry.credentials import authentication
from engine.registry.models import Person
from tests.engine.pop3.conftest import SECRET, Server

STRANGER = "nobody@northfield.secure.example"


def connected(server: Server) -> poplib.POP3_SSL:
    return poplib.POP3_SSL(
        "localhost", server.pop3s, timeout=60, context=server.context
    )


def timed(act: Callable[[], object]) -> float:
    """Returns the seconds that an act takes; a refusal is one of its results."""
    since = time.monotonic()
    try:
        act()
    except poplib.error_proto as error:
        assert b"[AUTH]" in error.args[0]
    return time.monotonic() - since


def sign_in(server: Server, name: str, secret: str) -> float:
    client = connected(server)

    def enter() -> None:
        client.user(name)
        client.pass_(secret)

    try:
        return timed(enter)
    finally:
        client.close()


async def test_each_wrong_password_makes_the_next_wait_longer(
    server: Server, reader: Person
) -> None:
    def guess() -> list[float]:
        return [sign_in(server, reader.address, "wrong") for _ in range(4)]

    waited = await asyncio.to_thread(guess)

    assert waited[1] > 0.4
    assert waited[0] < 1.5 < waited[3] < 10.0


async def test_every_command_but_quit_waits(server: Server, reader: Person) -> None:
    def talk() -> tuple[float, float]:
        client = connected(server)
        for _ in range(2):
            client.user(reader.address)
            timed(lambda: client.pass_("wrong"))
        waited = timed(client.capa)
        client.close()
        other = connected(server)
        other.user(reader.address)
        timed(lambda: other.pass_("wrong"))
        return waited, timed(other.quit)

    waited, quitting = await asyncio.to_thread(talk)

    assert waited > 0.8
    assert quitting < 1.5


async def test_a_right_password_waits_once(server: Server, reader: Person) -> None:
    def talk() -> tuple[float, float]:
        for _ in range(3):
            sign_in(server, reader.address, "wrong")
        first = sign_in(server, reader.address, SECRET)
        time.sleep(0.2)
        return first, sign_in(server, reader.address, SECRET)

    first, second = await asyncio.to_thread(talk)

    assert first > 1.7 > second


async def test_guessers_hold_neither_threads_nor_sessions_that_others_need(
    server: Server, reader: Person
) -> None:
    """There are two threads, and three guessers wait."""
    await asyncio.to_thread(sign_in, server, reader.address, SECRET)
    for _ in range(4):
        with authentication.throttle.attempt(STRANGER, "127.0.0.1"):
            pass

    guesses = [
        asyncio.create_task(asyncio.to_thread(sign_in, server, STRANGER, "wrong"))
        for _ in range(3)
    ]
    await asyncio.sleep(0.5)

    assert not any(one.done() for one in guesses)
    assert await asyncio.to_thread(sign_in, server, reader.address, SECRET) < 2.5
    assert min(await asyncio.gather(*guesses)) > 2.5


async def test_a_guesser_that_hangs_up_frees_its_place(
    server: Server, reader: Person
) -> None:
    for _ in range(5):
        with authentication.throttle.attempt(reader.address, "127.0.0.1"):
            pass
    client = await asyncio.to_thread(connected, server)

    def begin() -> None:
        client.user(reader.address)
        client.sock.sendall(b"PASS wrong\r\n")

    await asyncio.to_thread(begin)
    await asyncio.sleep(0.3)
    assert len(server.state.sessions) == 1
    client.close()
    async with asyncio.timeout(2):
        while len(server.state.sessions):
            await asyncio.sleep(0.05)
