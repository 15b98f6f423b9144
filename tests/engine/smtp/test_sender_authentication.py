"""What a member's server shows of its mail is verified, recorded, and acted upon."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import authres
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from engine.mail.header import HeaderBlock
from engine.mail.smtp_replies import Reply
from engine.network import lookups
from engine.queue import operator_actions
from engine.queue.delivery_status import reasons
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Connection, Person, UnprovenMail
from engine.routing import routes
from engine.storage import content
from engine.storage.models import Message
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Visibility, step
from portal.demo.dns_server import NameServer
from tests.engine.smtp.conftest import SECRET, Server
from tests.engine.smtp.test_session import recorded_refusals
from tests.fakes import send_message
from tests.signing import Signer, rsa_key, seal

FIRM = Signer("firm.example", rsa_key())
OTHER = Signer("other.example", rsa_key(serial=1))
OURS = Signer("secure.example", rsa_key(serial=2))
JANE = "jane@firm.example"
LETTER = (
    b"From: Jane <jane@firm.example>\r\nTo: bob@northfield.secure.example\r\n"
    b"Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nSubject: Papers\r\n"
    b"Message-ID: <1@firm.example>\r\n\r\nGood morning\r\n"
)
SIGNED = FIRM.sign(LETTER)
ALTERED = SIGNED.replace(b"Good", b"Bad")


@pytest.fixture
def zone(name_server: NameServer) -> NameServer:
    """The firm's records: it sends from loopback, signs, and asks to refuse the rest."""
    name_server.add_text("firm.example", "v=spf1 ip4:127.0.0.1 -all")
    name_server.add_text("_dmarc.firm.example", "v=DMARC1; p=reject")
    for signer in (FIRM, OTHER, OURS):
        signer.publish(name_server)
    return name_server


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server that never answers, and little patience with it."""
    monkeypatch.setattr(lookups, "SECONDS_IN_ALL", 0.2)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as hearing:
        hearing.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{hearing.getsockname()[1]}"
        monkeypatch.setattr(settings.POSTERN, "dns_servers", [where])
        yield


async def deliver(
    server: Server, message: bytes, sender: str = JANE, port: str = "receive"
) -> Reply:
    """Delivers a message to Bob as the firm's server, and returns the last reply."""
    await routes.refresh()
    said = await asyncio.to_thread(
        send_message,
        getattr(server, port),
        message,
        sender=sender,
        recipient="bob@northfield.secure.example",
        context=server.context,
        login=("firm", SECRET),
    )
    return Reply.parse(said[-1])


async def header_kept() -> HeaderBlock:
    message = await Message.objects.select_related("content").order_by("-pk").afirst()
    assert message
    return HeaderBlock.parse(content.header(message))


async def results_of(server: Server, message: bytes, sender: str = JANE) -> list[str]:
    """Delivers a message, and returns the results in its topmost field."""
    reply = await deliver(server, message, sender)
    assert reply.code == 250, reply
    top = (await header_kept()).fields[0]
    assert top.name == "Authentication-Results"
    name, *results = top.text.split("; ")
    assert name == "localhost"
    # Another program reads the same.
    read = authres.AuthenticationResultsHeader.parse(f"{top.name}: {top.text}")
    assert [one.method for one in read.results] == [
        r.partition("=")[0] for r in results
    ]
    return results


async def set_policy(connection: Connection, policy: UnprovenMail) -> None:
    connection.unproven_mail = policy
    await connection.asave()


async def test_all_results_are_in_one_field_on_top(
    server: Server, bob: Person, credential: str, zone: NameServer
) -> None:
    found = await results_of(server, OTHER.sign(SIGNED))

    assert found == [
        "spf=pass smtp.mailfrom=firm.example",
        "dkim=pass header.d=other.example header.s=selector1 header.a=rsa-sha256",
        "dkim=pass header.d=firm.example header.s=selector1 header.a=rsa-sha256",
        "dmarc=pass header.from=firm.example policy.dmarc=reject",
        "arc=none",
    ]


async def test_the_community_form_of_a_domain_is_proved_by_the_domain(
    server: Server, bob: Person, credential: str, zone: NameServer
) -> None:
    found = await results_of(server, SIGNED, "jane@firm.example.secure.example")

    assert found[0] == "spf=pass smtp.mailfrom=firm.example"


@pytest.mark.parametrize(
    ("spf", "message", "dmarc"),
    [
        ("v=spf1 -all", SIGNED, "pass"),
        ("v=spf1 ip4:127.0.0.1 -all", ALTERED, "pass"),
        ("v=spf1 -all", ALTERED, "fail"),
        ("v=spf1 ~all", LETTER, "fail"),
        ("v=spf1 ?all", OTHER.sign(LETTER), "fail"),
        ("v=spf1 nonsense", LETTER, "fail"),
        ("v=spf1 -all", FIRM.sign(LETTER, length=True), "fail"),
    ],
)
async def test_mail_that_fails_is_accepted_and_marked(
    server: Server,
    bob: Person,
    credential: str,
    zone: NameServer,
    spf: str,
    message: bytes,
    dmarc: str,
) -> None:
    zone.remove("firm.example", "TXT")
    zone.add_text("firm.example", spf)

    found = await results_of(server, message)

    asked = "header.from=firm.example policy.dmarc=reject"
    assert f"dmarc={dmarc} {asked}" in found
    assert await Recipient.objects.aget(status=RecipientStatus.DELIVERED)


async def test_a_bounce_is_proved_by_the_name_of_its_server(
    server: Server, bob: Person, credential: str, zone: NameServer
) -> None:
    found = await results_of(server, SIGNED, "")

    assert found[0].startswith("spf=none")
    assert "mailfrom" not in found[0]
    assert "dmarc=pass" in found[2]


async def test_name_servers_that_do_not_answer_refuse_and_delay_nothing(
    server: Server, bob: Person, credential: str, silent: None
) -> None:
    found = await results_of(server, OTHER.sign(seal(SIGNED, OTHER, arc="none")))

    outcomes = [one.partition(" ")[0] for one in found]
    assert outcomes == [
        "spf=temperror",
        "dkim=temperror",
        "dkim=temperror",
        "dmarc=temperror",
        "arc=temperror",
    ]


async def test_a_strict_connection_waits_for_name_servers(
    server: Server,
    bob: Person,
    credential: str,
    firm_connection: Connection,
    silent: None,
) -> None:
    for policy in (UnprovenMail.REFUSE, UnprovenMail.HOLD):
        await set_policy(firm_connection, policy)
        reply = await deliver(server, SIGNED)
        assert str(reply).startswith("451 4.7.5")

    assert not await QueuedMessage.objects.aexists()


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (LETTER, "550 5.7.26", "Not proved to come from firm.example (DMARC)"),
        (OTHER.sign(LETTER), "550 5.7.26", "Not proved to come from firm.example"),
        (ALTERED, "550 5.7.20", "firm.example is not valid: the body was changed"),
    ],
)
async def test_what_is_not_proved_is_refused_where_the_connection_says_so(
    server: Server,
    bob: Person,
    credential: str,
    firm_connection: Connection,
    zone: NameServer,
    message: bytes,
    code: str,
    text: str,
) -> None:
    zone.remove("firm.example", "TXT")
    await set_policy(firm_connection, UnprovenMail.REFUSE)

    reply = await deliver(server, message)

    assert str(reply).startswith(code)
    assert text in reply.text
    assert not await QueuedMessage.objects.aexists()
    [event] = await recorded_refusals(server)
    assert "sign with DKIM" in step(event, Visibility.MEMBER).advice
    assert (await deliver(server, SIGNED)).code == 250


async def test_a_broken_signature_is_refused_even_where_the_server_is_known(
    server: Server,
    bob: Person,
    credential: str,
    firm_connection: Connection,
    zone: NameServer,
) -> None:
    await set_policy(firm_connection, UnprovenMail.REFUSE)

    assert (await deliver(server, LETTER)).code == 250
    assert str(await deliver(server, ALTERED)).startswith("550 5.7.20")
    # Somebody else's broken signature says nothing of the firm's message.
    broken = OTHER.sign(LETTER.replace(b"Good", b"Bad")).replace(b"Bad", b"Good")
    assert (await deliver(server, broken)).code == 250


async def test_what_is_not_proved_is_held_until_an_operator_decides(
    server: Server,
    bob: Person,
    credential: str,
    firm_connection: Connection,
    zone: NameServer,
) -> None:
    await set_policy(firm_connection, UnprovenMail.HOLD)

    assert (await deliver(server, ALTERED)).code == 250

    assert not await Message.objects.aexists()
    held = await Recipient.objects.aget()
    assert (held.status, held.hold) == (RecipientStatus.HELD, Hold.UNPROVEN)
    event = await Event.objects.aget(kind=EventKind.HELD)
    assert step(event, Visibility.MEMBER).reply == "Its sender could not be proved"
    assert "could not be proved" in reasons.why_waiting(held.hold, held.last_reply)

    assert await sync_to_async(operator_actions.release)([held.pk], by=None) == 1
    await held.arefresh_from_db()
    assert (held.status, held.hold) == (RecipientStatus.QUEUED, "")


async def test_the_trace_says_each_result_in_words(
    server: Server, bob: Person, credential: str, zone: NameServer
) -> None:
    await deliver(server, ALTERED)

    event = await Event.objects.aget(kind=EventKind.RECEIVED)
    assert step(event, Visibility.MEMBER).facts == (
        ("SPF", "The server may send for firm.example"),
        ("DKIM", "The signature of firm.example is broken: the body was changed"),
        ("DMARC", "Proved to come from firm.example"),
    )


async def test_what_people_submit_is_proved_by_their_sign_in(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    await routes.refresh()
    letter = LETTER.replace(b"jane@firm.example", bob.address.encode())
    said = await asyncio.to_thread(
        send_message,
        server.submission,
        b"Authentication-Results: localhost; dmarc=pass\r\n" + letter,
        sender=bob.address,
        recipient=alice.address,
        context=server.context,
        login=(bob.address, SECRET),
    )

    assert said[-1].startswith("250")
    assert not (await header_kept()).get("Authentication-Results")


async def test_a_chain_of_others_is_validated_and_kept(
    server: Server, bob: Person, credential: str, zone: NameServer
) -> None:
    chain = seal(seal(SIGNED, OTHER, arc="none"), OTHER, arc="pass")

    assert (await results_of(server, chain))[-1] == "arc=pass"
    assert len((await header_kept()).all("ARC-Seal")) == 2
    broken = chain.replace(b"cv=none", b"cv=pass")
    assert (await results_of(server, broken))[-1].startswith("arc=fail reason=")


@pytest.mark.parametrize(
    ("first", "second", "left", "verdict"),
    [(OURS, None, 0, "none"), (OTHER, OURS, 1, "fail"), (OURS, OTHER, 1, "fail")],
)
async def test_no_set_in_our_name_comes_from_outside(
    server: Server,
    bob: Person,
    credential: str,
    zone: NameServer,
    first: Signer,
    second: Signer | None,
    left: int,
    verdict: str,
) -> None:
    """Even one that validates: it was ours once, on another message perhaps."""
    chain = seal(SIGNED, first, arc="none")
    if second:
        chain = seal(chain, second, arc="pass")

    found = (await results_of(server, chain))[-1]

    reason = '"sets in the name of this service were removed"'
    assert found == f"arc={verdict} reason={reason}"
    kept = await header_kept()
    assert [len(kept.all(n)) for n in ("ARC-Seal", "ARC-Message-Signature")] == [
        left
    ] * 2
    assert b"secure.example" not in b"".join(f.raw for f in kept.all("ARC-Seal"))


@pytest.mark.parametrize(
    "field",
    [
        b"DKIM-Signature: v=1; %b=1; %b=2\r\n" % (b"x" * 2000, b"x" * 2000),
        b'DKIM-Signature: v=1; a=rsa-sha256; d="; dmarc=pass header.d=firm.example\r\n',
        b"ARC-Seal: i=1; cv=none; dmarc=pass\r\n",
        b"DKIM-Signature: =?utf-8?q?v=3D1=3B_dmarc=3Dpass?=\r\n",
    ],
)
async def test_no_field_of_a_message_writes_into_our_results(
    server: Server, bob: Person, credential: str, zone: NameServer, field: bytes
) -> None:
    zone.remove("firm.example", "TXT")

    found = await results_of(server, field + LETTER)

    assert [one.partition("=")[0] for one in found] in (
        ["spf", "dkim", "dmarc", "arc"],
    )
    assert found[2].startswith("dmarc=fail ")


@pytest.mark.parametrize(
    "author",
    [
        b"jane@firm.example, eve@mail.firm.example",
        b"jane@FIRM.example",
        b"<jane@firm.example>",
    ],
)
async def test_the_author_is_one_domain(
    server: Server, bob: Person, credential: str, zone: NameServer, author: bytes
) -> None:
    message = LETTER.replace(b"Jane <jane@firm.example>", author)
    if b"," in author:
        assert (await deliver(server, message)).code == 550
    else:
        assert (await results_of(server, message))[2].startswith("dmarc=pass")
