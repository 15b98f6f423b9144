"""Tenants share a cloud provider's servers: only three proofs together identify one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import combinations, product

import pytest
from django.conf import settings
from django.utils import timezone

from engine.mail.address import Address
from engine.mail.dkim.signature import parse
from engine.mail.dkim.verification import Outcome, Result
from engine.mail.errors import MailError
from engine.mail.header import HeaderBlock
from engine.queue.models import QueuedMessage, Recipient
from engine.queue.sending_rates import rate_limits
from engine.registry.actions import connections
from engine.registry.models import (
    AccountType,
    Connection,
    Organisation,
    Person,
    Proof,
    Provider,
    UnprovenMail,
)
from engine.routing import routes
from engine.routing.facts import ConnectionFacts
from engine.routing.suffix import DomainMap
from engine.smtp import cloud_tenant_proof
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.session_binding import Binding
from engine.storage import content
from engine.storage.models import Message
from portal.configuration.sending_rates import Rates
from portal.demo.certificates import Authority
from portal.demo.dns_server import NameServer
from tests import factories
from tests.engine.smtp.conftest import Server
from tests.engine.smtp.test_receive import HELLO
from tests.engine.smtp.test_receive import LETTER as SAID
from tests.engine.smtp.test_session import recorded_refusals
from tests.fakes import FakeCloud, FakeTenant, send_message
from tests.signing import Signer, rsa_key

pytestmark = pytest.mark.any_database

OURS = "5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61"
THEIRS = "0f0e0d0c-0b0a-4f7b-9a35-000000000666"
SECRET = "0123456789abcdef0123456789abcdef"
COUNCIL = FakeTenant(OURS, Signer("eastvale.example", rsa_key()))
HOSTILE = FakeTenant(THEIRS, Signer("hostile.example", rsa_key(serial=1)))
HELEN = "helen@eastvale.example"
LETTER = (
    b"From: Helen Shaw <helen@eastvale.example>\r\n"
    b"To: bob@northfield.secure.example\r\nSubject: Papers\r\n"
    b"Message-ID: <1@eastvale.example>\r\n\r\nGood morning\r\n"
)


@pytest.fixture
def council(db: None, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """Eastvale Council in Microsoft's cloud, simulated on loopback."""
    loopback = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    played = {"microsoft_365": loopback, "google_workspace": loopback}
    monkeypatch.setattr(settings.POSTERN, "provider_networks", played)
    organisation = factories.make_organisation(
        name="Eastvale Council", account_type=AccountType.CLOUD_GATEWAY
    )
    factories.make_domain(organisation, "eastvale.example", verified_at=timezone.now())
    return organisation


@pytest.fixture
def council_connection(council: Organisation) -> Connection:
    connection = factories.make_connection(council)
    connections.set_cloud(
        connection, provider=Provider.MICROSOFT_365, tenant_id=OURS, by=None
    )
    return connection


@pytest.fixture
def microsoft(authority: Authority) -> FakeCloud:
    return FakeCloud(Provider.MICROSOFT_365, authority)


@pytest.fixture
def keys(name_server: NameServer) -> NameServer:
    for tenant in (COUNCIL, HOSTILE):
        tenant.signer.publish(name_server)
    return name_server


@dataclass
class Gate:
    """A server, as used by a client that delivers a message."""

    server: Server

    async def deliver(
        self, message: bytes, context: ssl.SSLContext, sender: str = HELEN
    ) -> str:
        """Delivers one message to Bob and returns the last reply."""
        await routes.refresh()
        said = await asyncio.to_thread(
            send_message,
            self.server.receive,
            message,
            sender=sender,
            recipient="bob@northfield.secure.example",
            context=context,
        )
        return said[-1]


@pytest.fixture
def gate(server: Server, bob: Person, keys: NameServer) -> Gate:
    return Gate(server)


async def test_a_message_that_shows_all_three_is_accepted(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    answer = await gate.deliver(
        microsoft.sign_and_name(LETTER, COUNCIL), microsoft.context()
    )

    assert answer.startswith("250 2.0.0")
    kept = await Message.objects.select_related("content").aget()
    raw = content.read(kept)
    assert b"helen@eastvale.example.secure.example" in raw
    header = HeaderBlock.parse(raw.partition(b"\r\n\r\n")[0])
    assert header.text("Authentication-Results") == (
        "localhost; spf=none smtp.mailfrom=eastvale.example"
        "; dkim=pass header.d=eastvale.example header.s=selector1 header.a=rsa-sha256"
        "; dmarc=none header.from=eastvale.example; arc=none"
    )
    queued = await QueuedMessage.objects.aget()
    assert queued.organisation_id == council_connection.organisation_id


async def test_a_tenant_over_its_rate_of_recipients_is_asked_to_wait(
    gate: Gate,
    council_connection: Connection,
    microsoft: FakeCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # MAIL and RCPT do not tell tenants apart: the message itself is checked too.
    one = Rates(minute=1, hour=1000, day=1000)
    monkeypatch.setattr(settings.POSTERN, "connection_recipients", one)
    replies = []
    rate_limits.meter.clear()
    try:
        for letter in (LETTER, LETTER.replace(b"<1@", b"<2@")):
            message = microsoft.sign_and_name(letter, COUNCIL)
            replies.append(await gate.deliver(message, microsoft.context()))
    finally:
        rate_limits.meter.clear()

    assert replies[0].startswith("250 2.0.0")
    assert replies[1].startswith("452 4.5.3")
    assert await Message.objects.acount() == 1


async def test_what_a_proved_tenant_is_refused_is_in_its_trace(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    message = LETTER.replace(b"Good morning", b"INFECTED")

    answer = await gate.deliver(
        microsoft.sign_and_name(message, COUNCIL), microsoft.context()
    )

    assert answer.startswith("554 5.7.1")
    [event] = await recorded_refusals(gate.server)
    assert event.refused_for_id == council_connection.organisation_id
    assert event.reference in answer


async def test_what_names_the_tenant_goes_no_further(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    await gate.deliver(microsoft.sign_and_name(LETTER, COUNCIL), microsoft.context())

    kept = await Message.objects.select_related("content").aget()
    raw = content.read(kept)
    assert OURS.encode() not in raw
    assert b"OriginatorOrg" not in raw
    assert b"CrossTenant-" not in raw


def _forged(microsoft: FakeCloud, tenant: str, signature: str) -> bytes:
    """What another tenant can do with some of Eastvale's proofs, but not all."""
    signed = {
        "ours": COUNCIL.signer.sign(LETTER),
        "theirs": HOSTILE.signer.sign(LETTER),
        "both, ours broken": HOSTILE.signer.sign(
            COUNCIL.signer.sign(LETTER.replace(b"Good", b"Bad"))
        ).replace(b"Bad", b"Good"),
        "none": LETTER,
    }[signature]
    match tenant:
        case "ours":
            return microsoft.add_tenant_fields(signed, OURS)
        case "theirs":
            return microsoft.add_tenant_fields(signed, THEIRS)
        case "theirs over a forged one":
            return microsoft.add_tenant_fields(
                microsoft.add_tenant_fields(signed, OURS), THEIRS
            )
        case "a forged one over theirs":
            return microsoft.add_tenant_fields(
                microsoft.add_tenant_fields(signed, THEIRS), OURS
            )
        case _:
            return signed


TENANTS = [
    "ours",
    "theirs",
    "theirs over a forged one",
    "a forged one over theirs",
    "none",
]
SIGNATURES = ["ours", "theirs", "both, ours broken", "none"]
SOURCES = ["provider", "other certificate", "no certificate", "other address"]
FORGERIES = [
    forgery
    for forgery in product(SOURCES, TENANTS, SIGNATURES)
    if forgery != ("provider", "ours", "ours")
]


@pytest.mark.parametrize("source", SOURCES)
async def test_a_message_that_lacks_any_proof_is_refused(
    gate: Gate,
    council_connection: Connection,
    microsoft: FakeCloud,
    authority: Authority,
    client_context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
) -> None:
    google = replace(microsoft, provider=Provider.GOOGLE_WORKSPACE)
    contexts = {
        "provider": microsoft.context(),
        "other certificate": google.context(),
        "no certificate": client_context,
        "other address": microsoft.context(),
    }
    if source == "other address":
        elsewhere = {"microsoft_365": [ip_network("198.51.100.0/24")]}
        monkeypatch.setattr(settings.POSTERN, "provider_networks", elsewhere)
        await council_connection.asave()

    for _, tenant, signature in (f for f in FORGERIES if f[0] == source):
        answer = await gate.deliver(
            _forged(microsoft, tenant, signature), contexts[source]
        )

        if source != "provider":
            assert answer == "530 5.7.0 Authentication required"
            continue
        assert answer.startswith("550 5.7.1"), (tenant, signature, answer)
        assert ("tenant id" in answer) == (tenant != "ours")
        assert ("DKIM" in answer) == (signature != "ours")
        assert OURS not in answer
    assert not await Message.objects.aexists()
    assert not await QueuedMessage.objects.aexists()


async def test_a_replayed_signature_does_not_cover_another_body(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    message = microsoft.sign_and_name(LETTER, COUNCIL).replace(b"Good", b"Bad")

    answer = await gate.deliver(message, microsoft.context())

    assert answer.startswith("550 5.7.1")
    assert "DKIM" in answer


FULL = LETTER.replace(
    b"Message-ID",
    b"Date: Sat, 28 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\nMessage-ID",
)


@pytest.mark.parametrize(
    "left_out", ["subject", "date", "message-id", "content-type", "mime-version"]
)
async def test_a_signature_that_leaves_out_a_field_that_matters_proves_nothing(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud, left_out: str
) -> None:
    whole = {"from", "date", "subject", "message-id", "content-type", "mime-version"}
    signed = COUNCIL.signer.sign(FULL, fields=sorted(whole - {left_out}))

    answer = await gate.deliver(
        microsoft.add_tenant_fields(signed, OURS), microsoft.context()
    )
    covering = COUNCIL.signer.sign(FULL, fields=sorted(whole))
    accepted = await gate.deliver(
        microsoft.add_tenant_fields(covering, OURS), microsoft.context()
    )

    assert answer.startswith("550 5.7.1")
    assert f"a DKIM signature of the organisation over {', '.join(sorted(whole))}" in (
        answer
    )
    assert accepted.startswith("250")


@pytest.mark.parametrize(
    "added",
    [
        b"Subject: Another\r\n",
        b"To: someone@else.example\r\n",
        b"subject : Another\r\n",
        b"Sender: helen@eastvale.example\r\n" * 2,
        b"In-Reply-To: <1@eastvale.example>\r\n" * 2,
    ],
)
async def test_a_field_added_beside_a_signed_one_is_refused(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud, added: bytes
) -> None:
    message = added + COUNCIL.signer.sign(LETTER)

    answer = await gate.deliver(
        microsoft.add_tenant_fields(message, OURS), microsoft.context()
    )

    assert answer.startswith("550 5.6.0 The header has more than one")
    assert not await Message.objects.aexists()


async def test_a_signature_of_part_of_the_body_proves_nothing(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    message = COUNCIL.signer.sign(LETTER, length=True) + b"And more\r\n"

    answer = await gate.deliver(
        microsoft.add_tenant_fields(message, OURS), microsoft.context()
    )

    assert answer.startswith("550 5.7.1")
    assert "DKIM" in answer


async def test_a_tenant_writes_in_nobody_elses_name(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud, firm: Organisation
) -> None:
    as_firm = LETTER.replace(b"helen@eastvale.example", b"jane@firm.example")
    context = microsoft.context()

    in_the_envelope = await gate.deliver(
        microsoft.sign_and_name(LETTER, COUNCIL), context, sender="jane@firm.example"
    )
    in_the_header = await gate.deliver(
        microsoft.sign_and_name(as_firm, COUNCIL), context
    )

    assert in_the_envelope == "530 5.7.0 Authentication required"
    assert in_the_header.startswith("550 5.7.1")


async def test_nobody_signs_in_behind_a_sender_that_only_seemed_theirs(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud, credential: str
) -> None:
    gate.server.context = microsoft.context()

    await gate.server.run("receive", "auth_after_mail", credential=credential)


async def test_an_unverified_domain_proves_nothing(
    gate: Gate,
    council: Organisation,
    council_connection: Connection,
    microsoft: FakeCloud,
) -> None:
    await council.domains.aupdate(verified_at=None)

    answer = await gate.deliver(
        microsoft.sign_and_name(LETTER, COUNCIL), microsoft.context()
    )

    assert answer.startswith("530 5.7.0")


async def test_a_key_that_cannot_be_had_now_is_no_refusal(
    gate: Gate,
    council_connection: Connection,
    microsoft: FakeCloud,
    keys: NameServer,
) -> None:
    keys.failing.add(COUNCIL.signer.name)

    answer = await gate.deliver(
        microsoft.sign_and_name(LETTER, COUNCIL), microsoft.context()
    )

    assert answer.startswith("451 4.7.5")


async def test_a_bounce_is_bound_by_its_author(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    bounce = LETTER.replace(b"Helen Shaw <helen@", b"Postmaster <postmaster@")
    context = microsoft.context()

    theirs = await gate.deliver(
        microsoft.sign_and_name(bounce, HOSTILE), context, sender=""
    )
    ours = await gate.deliver(
        microsoft.sign_and_name(bounce, COUNCIL), context, sender=""
    )

    assert theirs.startswith("550 5.7.1")
    assert ours.startswith("250")
    recipient = await Recipient.objects.select_related("message").aget()
    assert recipient.message.sender == ""


async def test_a_suspended_connection_is_told_so_only_when_it_has_shown_itself(
    gate: Gate, council_connection: Connection, microsoft: FakeCloud
) -> None:
    council_connection.is_active = False
    await council_connection.asave()
    context = microsoft.context()

    theirs = await gate.deliver(microsoft.sign_and_name(LETTER, HOSTILE), context)
    ours = await gate.deliver(microsoft.sign_and_name(LETTER, COUNCIL), context)

    assert "suspended" not in theirs
    assert "suspended" in ours


async def test_google_names_the_tenant_by_a_secret(
    gate: Gate, council_connection: Connection, authority: Authority
) -> None:
    council_connection.provider = Provider.GOOGLE_WORKSPACE
    council_connection.tenant_id = SECRET
    await council_connection.asave()
    google = FakeCloud(Provider.GOOGLE_WORKSPACE, authority)
    council = replace(COUNCIL, tenant_id=SECRET)
    hostile = replace(HOSTILE, tenant_id=SECRET[::-1])

    refused = [
        await gate.deliver(message, google.context())
        for message in (
            google.sign_and_name(LETTER, hostile),
            google.add_tenant_fields(LETTER, SECRET),
            google.add_tenant_fields(council.signer.sign(LETTER), hostile.tenant_id),
            council.signer.sign(LETTER),
        )
    ]
    accepted = await gate.deliver(
        google.sign_and_name(LETTER, council), google.context()
    )

    assert all(answer.startswith("550 5.7.1") for answer in refused)
    assert accepted.startswith("250")
    kept = await Message.objects.select_related("content").aget()
    assert SECRET.encode() not in content.read(kept)


async def test_google_is_known_by_its_own_servers_too(
    gate: Gate,
    council_connection: Connection,
    microsoft: FakeCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tenant id and signature together are insufficient from any other address."""
    council_connection.provider = Provider.GOOGLE_WORKSPACE
    council_connection.tenant_id = SECRET
    await council_connection.asave()
    google = replace(microsoft, provider=Provider.GOOGLE_WORKSPACE)
    message = google.sign_and_name(LETTER, replace(COUNCIL, tenant_id=SECRET))

    with_another_name = await gate.deliver(message, microsoft.context())
    elsewhere = {"google_workspace": [ip_network("198.51.100.0/24")]}
    monkeypatch.setattr(settings.POSTERN, "provider_networks", elsewhere)
    await council_connection.asave()
    from_another_address = await gate.deliver(message, google.context())

    assert with_another_name == "530 5.7.0 Authentication required"
    assert from_another_address == with_another_name
    assert not await Message.objects.aexists()


async def test_others_servers_keep_no_claim_about_a_tenant(
    server: Server, bob: Person, credential: str
) -> None:
    claims = (
        "c: X-MS-Exchange-CrossTenant-Id: {tenant}\nc: X-OriginatorOrg: x.example\n"
    )
    letter = SAID.replace("c: From:", f"{claims}c: From:")
    dialogue = HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n" + letter

    await server.say("receive", dialogue, credential=credential, tenant=OURS)

    kept = await Message.objects.select_related("content").aget()
    raw = content.read(kept)
    assert OURS.encode() not in raw
    assert b"OriginatorOrg" not in raw
    assert b"; dkim=none;" in raw.partition(b"Received:")[0]


A_SIGNATURE = parse(
    HeaderBlock.parse(COUNCIL.signer.sign(LETTER).partition(b"From:")[0]).fields[0]
)
EASTVALE = ConnectionFacts(
    id=1,
    organisation_id=1,
    organisation_name="Eastvale Council",
    is_active=True,
    proof=Proof.CLOUD,
    networks=(),
    certificate_name="",
    provider=Provider.MICROSOFT_365,
    tenant_id=OURS,
    next_hop_host="",
    next_hop_port=25,
    tls_name="",
    strips_suffix=True,
    subject_tag="",
    unproven_mail=UnprovenMail.ACCEPT,
    domains=DomainMap.of([("eastvale.example", "eastvale.example.secure.example")]),
    verified_domains=frozenset(["eastvale.example"]),
)


class FakeKnown:
    """The routes of a community whose only cloud organisation is Eastvale."""

    def cloud_connections(
        self, providers: frozenset[Provider], address: Address
    ) -> tuple[ConnectionFacts, ...]:
        return (EASTVALE,) if EASTVALE.provider in providers else ()


# Every combination instead of random ones: fifteen hundred take a fraction of a second,
# and Hypothesis stopped after its deadline on a busy machine.
ONES = [OURS, THEIRS, "", OURS.upper(), f"x{OURS}"]
TENANTS = [one for count in range(3) for one in product(ONES, repeat=count)]
OTHERS = [{}, {"hostile.example": Outcome.PASS, "mail.eastvale.example": Outcome.PASS}]
PROVIDERS = [
    frozenset(some)
    for count in range(len(Provider) + 1)
    for some in combinations(Provider, count)
]


@pytest.mark.parametrize("outcome", [None, *Outcome])
@pytest.mark.parametrize("providers", PROVIDERS)
def test_only_all_three_together_bind(
    providers: frozenset[Provider], outcome: Outcome | None
) -> None:
    own = {"eastvale.example": outcome} if outcome else {}
    wrong = [
        (tenants, others)
        for tenants, others in product([*TENANTS, (OURS,) * 3], OTHERS)
        if binds(tenants, own | others, providers)
        is not (
            Provider.MICROSOFT_365 in providers
            and [one.casefold() for one in tenants] == [OURS]
            and outcome is Outcome.PASS
        )
    ]

    assert wrong == []


def binds(
    tenants: Sequence[str],
    outcomes: Mapping[str, Outcome],
    providers: frozenset[Provider],
) -> bool:
    """Whether a message with these claims and signatures counts as Eastvale's."""
    named = "".join(f"X-MS-Exchange-CrossTenant-Id: {one}\r\n" for one in tenants)
    header = HeaderBlock.parse(named.encode() + LETTER.partition(b"\r\n\r\n")[0])
    found = [
        Result(outcome, signature=replace(A_SIGNATURE, domain=domain))
        for domain, outcome in outcomes.items()
    ]
    session = Binding(None, str(Proof.CLOUD), providers=providers)
    evidence = Evidence(Address.parse(HELEN), header, found)
    try:
        bound = cloud_tenant_proof.confirm_tenant(FakeKnown(), session, evidence)  # type: ignore[arg-type]
    except MailError:
        return False
    return bound is not None
