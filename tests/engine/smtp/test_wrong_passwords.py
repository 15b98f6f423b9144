"""Wrong passwords slow down what follows them, and nobody else."""

from __future__ import annotations

import asyncio
import smtplib
import time
from collections.abc import Callable

import pytest

from engine.registry.credentials import authentication
from engine.registry.models import Person
from tests.engine.smtp.conftest import SECRET, Server, plain
from tests.peers.swaks import login_options, swaks

STRANGER = "nobody@northfield.secure.example"


def connected(server: Server) -> smtplib.SMTP_SSL:
    return smtplib.SMTP_SSL(
        "localhost", server.submissions, timeout=60, context=server.context
    )


def timed(act: Callable[[], object]) -> float:
    """Returns the seconds that an act takes."""
    since = time.monotonic()
    act()
    return time.monotonic() - since


def sign_in(client: smtplib.SMTP, name: str, secret: str) -> float:
    """Signs in once, by PLAIN alone, and returns the seconds until the reply."""
    answers: list[int] = []
    response = plain(name, secret)
    seconds = timed(
        lambda: answers.append(client.docmd("AUTH", f"PLAIN {response}")[0])
    )
    assert answers == [235 if secret == SECRET else 535]
    return seconds


async def test_each_wrong_password_makes_the_next_command_wait_longer(
    server: Server, app_password: str, bob: Person
) -> None:
    def guess() -> list[float]:
        with connected(server) as client:
            client.ehlo()
            return [sign_in(client, bob.address, "wrong") for _ in range(4)]

    waited = await asyncio.to_thread(guess)

    assert waited[1] > 0.4
    assert waited[0] < 1.5 < waited[3]


async def test_every_command_but_quit_waits(
    server: Server, app_password: str, bob: Person
) -> None:
    def talk() -> tuple[float, float]:
        client = connected(server)
        client.ehlo()
        for _ in range(2):
            sign_in(client, bob.address, "wrong")
        waited = timed(client.noop)
        sign_in(client, bob.address, "wrong")
        return waited, timed(client.quit)

    waited, quitting = await asyncio.to_thread(talk)

    assert waited > 0.8
    assert quitting < 1.5


async def test_another_connection_waits_too_and_a_right_password_no_longer(
    server: Server, app_password: str, bob: Person
) -> None:
    def once(secret: str) -> float:
        with connected(server) as client:
            client.ehlo()
            return sign_in(client, bob.address, secret)

    for _ in range(3):
        await asyncio.to_thread(once, "wrong")
    delayed = await asyncio.to_thread(once, SECRET)
    again = await asyncio.to_thread(once, SECRET)

    assert delayed > 1.5 > again


async def test_guessers_hold_neither_threads_nor_places_that_others_need(
    server: Server, app_password: str, bob: Person
) -> None:
    """There are two threads, and three guessers wait."""

    def once(name: str, secret: str) -> float:
        with connected(server) as client:
            client.ehlo()
            return sign_in(client, name, secret)

    # From now on, this network is one from which he signs in.
    await asyncio.to_thread(once, bob.address, SECRET)
    for _ in range(4):
        with authentication.throttle.attempt(STRANGER, "127.0.0.1"):
            pass
    guesses = [
        asyncio.create_task(asyncio.to_thread(once, STRANGER, "wrong"))
        for _ in range(3)
    ]
    await asyncio.sleep(0.5)

    assert not any(one.done() for one in guesses)
    assert await asyncio.to_thread(once, bob.address, SECRET) < 2.5
    assert min(await asyncio.gather(*guesses)) > 2.5


@pytest.mark.slow
async def test_swaks_is_let_in_after_wrong_passwords(
    server: Server, app_password: str, bob: Person
) -> None:
    def send(password: str) -> tuple[int, float]:
        since = time.monotonic()
        said = swaks(
            server.submissions,
            "--tls-on-connect",
            *login_options(bob.address, password),
            *("--quit-after", "AUTH"),
            sender=bob.address,
            recipient=bob.address,
        )
        return said.code, time.monotonic() - since

    results = [await asyncio.to_thread(send, "wrong") for _ in range(4)]
    code, seconds = await asyncio.to_thread(send, SECRET)

    assert [code for code, _ in results] == [28] * 4  # authentication failed
    assert results[3][1] > 1.8
    assert (code, seconds < 30) == (0, True)
