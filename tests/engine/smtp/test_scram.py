"""SCRAM on submission: msmtp, a client of another make, and who learns nothing by it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from engine.registry.actions import people
from engine.registry.credentials import generated_secrets, scram_keys, scram_offer
from engine.registry.models import AppPassword, Mailbox, Person
from engine.routing import routes
from engine.smtp.session_binding import Peer
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests import factories, scram
from tests.engine.smtp.conftest import SECRET, Server, plain
from tests.peers import msmtp
from tests.peers.process import PeerError

BOB = "bob@northfield.secure.example"
FAILED = b"5.7.8 The user name or password is wrong; an app password that was not used"


@pytest.fixture
def secret(transactional_db: None, bob: Person) -> str:
    """The secret of an app password of Bob's that was made beside another."""
    people.add_app_password(bob, name="Laptop", by=None)
    _, secret = people.add_app_password(bob, name="Phone", by=None)
    return secret


async def in_thread(work: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.to_thread(work, *args)


async def signed_in(server: Server, username: str, secret: str) -> tuple[int, bytes]:
    await routes.refresh()

    def talk() -> tuple[int, bytes]:
        with scram.connect(server.submission, server.context) as client:
            return scram.sign_in(client, username, secret)

    found: tuple[int, bytes] = await in_thread(talk)
    return found


@pytest.mark.slow
async def test_msmtp_signs_in_by_proof(
    server: Server, authority: Authority, bob: Person, alice: Person, secret: str
) -> None:
    await routes.refresh()

    def send(password: str, auth: str) -> str:
        return msmtp.send(
            server.submission,
            f"From: <{BOB}>\nTo: <{alice.address}>\n\nHello\n".encode(),
            sender=BOB,
            recipients=[alice.address],
            username=BOB,
            password=password,
            ca_file=authority.ca_file,
            auth=auth,
        )

    said = await in_thread(send, secret, "scram-sha-256")
    assert "--> AUTH SCRAM-SHA-256" in said
    # As some people type it.
    await in_thread(send, secret.replace("-", ""), "scram-sha-256")
    with pytest.raises(PeerError, match=r"535 5\.7\.8"):
        await in_thread(send, SECRET, "scram-sha-256")

    assert await Message.objects.acount() == 2


async def test_a_proof_is_tried_against_each_app_password(
    server: Server, bob: Person, alice: Person, secret: str
) -> None:
    assert (await signed_in(server, BOB, secret))[0] == 235
    used = await AppPassword.objects.aget(last_used_at__isnull=False)
    assert used.name == "Phone"

    # Under the address of a team's mailbox it is tried against each reader's.
    team = await sync_to_async(factories.make_group_mailbox)(
        "team@northfield.secure.example", bob.organisation
    )
    for reader in (alice, bob):
        await sync_to_async(factories.make_grant)(team, reader, can_read=True)
    _, alices = await sync_to_async(people.add_app_password)(alice, name="x", by=None)
    for one in (secret, alices):
        assert (await signed_in(server, team.address, one))[0] == 235

    await sync_to_async(people.revoke_app_password)(used, by=None)
    assert (await signed_in(server, BOB, secret))[0] == 535
    assert await Mailbox.objects.filter(address=team.address).aexists()


async def test_strangers_learn_nothing_from_challenges_and_refusals(
    server: Server, bob: Person, secret: str
) -> None:
    await routes.refresh()
    names = [BOB, "nobody@northfield.secure.example", "not an address"]

    def talk() -> list[tuple[bytes, tuple[int, bytes]]]:
        said = []
        for name in names:
            with scram.connect(server.submission, server.context) as client:
                first = scram.encoded(f"n,,n={name},r=abc")
                _, asked = client.docmd("AUTH", f"SCRAM-SHA-256 {first}")
                rest = base64.b64decode(asked).partition(b",")[2]
                client.docmd("*")
                said.append((rest, scram.sign_in(client, name, SECRET)))
        return said

    said = await in_thread(talk)

    assert len({rest for rest, _ in said}) == 1
    assert {(code, text[: len(FAILED)]) for _, (code, text) in said} == {(535, FAILED)}


async def test_wrong_proofs_hold_the_next_attempt_back_as_wrong_passwords_do(
    server: Server, bob: Person, secret: str
) -> None:
    policy = server.contexts[1].policy
    await signed_in(server, BOB, SECRET)
    peer = Peer(ip_address("127.0.0.1"), "TLSv1.3", frozenset())

    assert policy.sign_in_delay(BOB, peer) > 0.0


async def test_an_older_app_password_gains_its_keys_by_plain(
    server: Server, bob: Person
) -> None:
    old = await sync_to_async(factories.make_app_password)(
        bob, generated_secrets.digest(SECRET), last_used_at=timezone.now()
    )
    await sync_to_async(scram_offer.refresh)()
    hello = "s: 220 *\nc: EHLO x\ns: 250 *\nc: STARTTLS\ns: 220 *\ntls\nc: EHLO x\n"

    # Not offered while a mail program that is in use would be shut out by it.
    await server.say(
        "submission",
        hello + "s: 250 AUTH PLAIN LOGIN\nc: AUTH SCRAM-SHA-256 x\ns: 504 5.5.4 *\n"
        "c: AUTH PLAIN {response}\ns: 235 *\n",
        response=plain(BOB, SECRET),
    )
    await old.arefresh_from_db()
    assert len(scram_keys.keys_of(old.scram)) == 2

    await sync_to_async(scram_offer.refresh)()
    await server.say("submission", hello + "s: 250 AUTH SCRAM-SHA-256 PLAIN LOGIN\n")
    assert (await signed_in(server, BOB, SECRET.upper()))[0] == 535
    assert (await signed_in(server, BOB, SECRET))[0] == 235


async def test_keys_that_cannot_be_used_keep_scram_from_being_offered(
    server: Server,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest, keys = generated_secrets.digest(SECRET), scram_keys.sealed_keys(SECRET)
    await sync_to_async(factories.make_app_password)(
        bob, digest, scram=keys, last_used_at=timezone.now()
    )
    await sync_to_async(scram_offer.refresh)()
    assert scram_offer.is_offered()
    # As after a change of the community's domain.
    monkeypatch.setattr(scram_keys, "salt", lambda: bytes(16))
    await sync_to_async(scram_offer.refresh)()
    assert not scram_offer.is_offered()

    await server.say(
        "submission",
        "s: 220 *\nc: EHLO x\ns: 250 *\nc: STARTTLS\ns: 220 *\ntls\nc: EHLO x\n"
        "s: 250 *\nc: AUTH PLAIN {response}\ns: 235 *\n",
        response=plain(BOB, SECRET),
    )
    await sync_to_async(scram_offer.refresh)()
    assert scram_offer.is_offered()


async def test_a_session_goes_on_when_another_device_brings_the_new_secret_key(
    server: Server, bob: Person, settings: Any
) -> None:
    policy = server.contexts[1].policy
    keys = await sync_to_async(scram_keys.sealed_keys)(SECRET)
    await sync_to_async(factories.make_app_password)(
        bob, generated_secrets.digest(SECRET), scram=keys
    )
    peer = Peer(ip_address("127.0.0.1"), "TLSv1.3", frozenset())
    exchange = scram.proved(BOB, SECRET)
    binding, _ = await sync_to_async(policy.authenticate_by_proof)(exchange, peer)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 8

    assert await sync_to_async(policy.authenticate)(BOB, SECRET, peer)

    assert await sync_to_async(policy.is_sign_in_valid)(binding)
    await sync_to_async(AppPassword.objects.update)(revoked_at=timezone.now())
    assert not await sync_to_async(policy.is_sign_in_valid)(binding)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("c: AUTH SCRAM-SHA-256 bm90aGluZw==\n", "501 5.5.4 *malformed"),
        ("c: AUTH SCRAM-SHA-256 =\n", "501 5.5.4 *malformed"),
        ("c: AUTH SCRAM-SHA-256 %%\n", "501 5.5.4 *base64*"),
        ("c: AUTH SCRAM-SHA-256-PLUS bm90aGluZw==\n", "504 5.5.4 *"),
        ("c: AUTH SCRAM-SHA-256\ns: 334 \nc: *\n", "501 5.7.0 *"),
        ("c: AUTH SCRAM-SHA-256 {first}\ns: 334 *\nc: *\n", "501 5.7.0 *"),
        ("c: AUTH SCRAM-SHA-256 {first}\ns: 334 *\nc: eA==\n", "501 5.5.4 *malformed"),
    ],
)
async def test_an_odd_exchange_is_refused_and_the_session_goes_on(
    server: Server, said: str, reply: str
) -> None:
    await server.say(
        "submission",
        "s: 220 *\nc: EHLO x\ns: 250 *\nc: STARTTLS\ns: 220 *\ntls\nc: EHLO x\ns: 250 *\n"
        + said
        + f"s: {reply}\nc: NOOP\ns: 250 *\n",
        first=scram.encoded("n,,n=bob,r=abc"),
    )
