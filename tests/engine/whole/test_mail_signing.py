"""What a member's Postfix, with OpenDKIM and Rspamd, finds out about mail that we hand on."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message

import pytest
from django.conf import settings

from engine.registry.actions import mail_keys
from engine.registry.models import Connection, Person, Posting
from engine.signing import key_records
from engine.storage.models import Rule
from portal.demo.certificates import Authority
from portal.demo.dns_server import NameServer
from tests import factories
from tests.peers import opendkim
from tests.peers.engine import Engine
from tests.peers.opendkim import OpenDkim
from tests.peers.postfix import Postfix
from tests.peers.rspamd import Rspamd

pytestmark = pytest.mark.slow

SUFFIX = "secure.example"
HOSTED = "northfield.secure.example"
LIST = f"duty@{HOSTED}"
JANE, TOM, NOBODY = "jane@firm.example", "tom@firm.example", "nobody@firm.example"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    with NameServer() as server:
        server.add_text(f"_dmarc.{SUFFIX}", "v=DMARC1; p=reject")
        yield server


@pytest.fixture(scope="module")
def postfix(authority: Authority, names: NameServer) -> Iterator[Postfix]:
    """The firm's server, which takes no 8-bit text, so that we have to convert it."""
    own = authority.issue("mail.firm.example")
    with OpenDkim(names.server) as dkim, Rspamd(names.server) as rspamd:
        options = {
            "smtpd_milters": f"{rspamd.milter} {dkim.milter}",
            "milter_default_action": "tempfail",
            "smtpd_discard_ehlo_keywords": "8bitmime, chunking",
        }
        with Postfix(
            "firm.example",
            "jane",
            "tom",
            cert_file=own.cert_file,
            key_file=own.key_file,
            options=options,
        ) as server:
            yield server


@pytest.fixture
def keys(
    transactional_db: None, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The community's keys, published for itself and the hosted domain, and in use."""
    monkeypatch.setattr(settings.POSTERN, "dns_servers", [names.server])
    mail_keys.make_missing(by=None)
    wanted = key_records.wanted(SUFFIX)
    for record in wanted:
        names.add_text(record.name, record.value)
    for record in key_records.wanted(HOSTED):
        names.add_alias(record.name, record.value)
    for domain in (SUFFIX, HOSTED):
        mail_keys.check(domain, by=None)
    yield
    for record in wanted:
        names.remove(record.name, "TXT")


def letter(subject: str, to: str) -> bytes:
    """A message that we change in each way we may: sender, subject tag, and encoding."""
    return (
        f"From: Jane <{JANE}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject}@firm.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        ".Grüße  von Jane \r\n\r\n.\t\r\n\r\n\r\n"
    ).encode()


def found(message: Message) -> tuple[str, str]:
    """What OpenDKIM and Rspamd say, each on one line."""
    results = [
        " ".join(one.split()) for one in message.get_all("Authentication-Results", [])
    ]

    [dkim] = [one for one in results if one.startswith(opendkim.NAME)]
    [rspamd] = [one for one in results if "dmarc=" in one]
    return dkim, rspamd


def by_subject(server: Postfix, local: str, count: int) -> dict[str, Message]:
    received = map(message_from_bytes, server.wait_for_messages(local, count))
    return {str(one["Subject"]): one for one in received}


def test_all_that_is_handed_on_proves_itself(
    keys: None,
    postfix: Postfix,
    firm_with_credential: Connection,
    bob: Person,
    engine: Engine,
    connect: Callable[[Engine], smtplib.SMTP],
    bobs_client: Callable[[Engine], smtplib.SMTP],
) -> None:
    connection = firm_with_credential
    connection.next_hop_port = postfix.port
    connection.next_hop_tls_name = "mail.firm.example"
    connection.subject_tag = "[SECURE]"
    connection.save()
    tom = f"{TOM}.{SUFFIX}"
    factories.make_list(LIST, bob.organisation, tom, posting=Posting.COMMUNITY)
    Rule.objects.create(mailbox=bob.mailbox, position=1, name="On", forward_to=tom)
    with connect(engine) as client:
        client.sendmail(JANE, [TOM], letter("suffix", TOM), ["BODY=8BITMIME"])
        client.sendmail(JANE, [LIST], letter("list", LIST), ["BODY=8BITMIME"])
        client.sendmail(JANE, [bob.address], letter("rule", bob.address))
        client.sendmail(JANE, [NOBODY], letter("dsn", NOBODY), ["BODY=8BITMIME"])
    with bobs_client(engine) as client:
        text = f"From: {bob.address}\r\nTo: {TOM}\r\nSubject: hosted\r\n\r\nHello\r\n"
        client.sendmail(bob.address, [TOM], text)

    arrived = by_subject(postfix, "tom", 4)
    [notice] = by_subject(postfix, "jane", 1).values()

    assert set(arrived) == {
        f"[SECURE] {one}" for one in ("suffix", "list", "rule", "hosted")
    }
    assert notice["Return-Path"] == "<>"
    for subject, message in [*arrived.items(), ("notice", notice)]:
        dkim, rspamd = found(message)
        signer = HOSTED if "hosted" in subject else SUFFIX
        assert dkim.count("dkim=pass") == 2, dkim
        assert f"header.d={signer}" in dkim
        assert "dkim=fail" not in rspamd
        assert "dmarc=pass" in rspamd, rspamd
        assert "arc=pass" in rspamd, rspamd
    assert arrived["[SECURE] suffix"]["Content-Transfer-Encoding"] != "8bit"

    check_altered(postfix, arrived["[SECURE] suffix"])


def check_altered(server: Postfix, message: Message) -> None:
    """Sends a message on as it came, and with one octet changed or a field added."""
    raw = b"\r\n".join(message.as_bytes().splitlines()) + b"\r\n"
    before = len(server.messages("jane"))
    changed = {
        "as it was": raw,
        "subject": raw.replace(
            b"Subject: [SECURE] suffix", b"Subject: [SECURE] suffiX"
        ),
        "body": raw.replace(b"von Jane", b"von June"),
        "second subject": b"Subject: Another\r\n" + raw,
    }
    for number, text in enumerate(changed.values(), 1):
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail("x@elsewhere.example", [JANE], text)
        server.wait_for_messages("jane", before + number)
    copies = [message_from_bytes(one) for one in server.messages("jane")[before:]]

    for what, copy in zip(changed, copies, strict=True):
        dkim, rspamd = found(copy)
        is_same = what == "as it was"
        assert ("dkim=pass" in dkim) is is_same, (what, dkim)
        assert ("dkim=pass" in rspamd) is is_same, (what, rspamd)
        assert ("arc=pass" in rspamd) is is_same, (what, rspamd)
