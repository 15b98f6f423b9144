"""The two systems compared: Debian's Postfix with Dovecot, and Postern."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.core.management import call_command

from engine.registry.actions import connections, domains, organisations, people
from engine.registry.models import AccountType, Kind, Organisation, Proof
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.benchmarks.load import SENDER
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.process import Daemon, answers
from tests.peers.stunnel import Stunnel

MAILBOXES = 4


@dataclass(frozen=True)
class Contender:
    """A system under test: its port, its recipients, and how to count stored messages.

    `pids` are those of its processes, without the ones that they start. Where it serves
    POP3, `mailboxes` holds the recipients' passwords.
    """

    name: str
    port: int
    recipients: list[str]
    count: Callable[[], int]
    pids: list[int]
    pop3s_port: int = 0
    mailboxes: dict[str, str] = field(default_factory=dict)


@contextmanager
def postfix_and_dovecot(authority: Authority, **options: str) -> Iterator[Contender]:
    """Starts Postfix with STARTTLS, and Dovecot's maildirs behind it by LMTP.

    Both use Debian's defaults; `options` are additional settings of main.cf.
    """
    made = authority.issue("mail.base.example", "localhost")
    with (
        Dovecot("maildir", (made.cert_file, made.key_file)) as dovecot,
        Postfix(
            "base.example",
            cert_file=made.cert_file,
            key_file=made.key_file,
            options={
                "smtpd_tls_security_level": "encrypt",
                "virtual_transport": f"lmtp:inet:127.0.0.1:{dovecot.port}",
                "virtual_mailbox_maps": "static:all",
                **options,
            },
        ) as postfix,
        Stunnel(postfix.port, ca_file=authority.ca_file) as tunnel,
    ):
        recipients = [f"user{number}@base.example" for number in range(MAILBOXES)]
        yield Contender(
            "Postfix and Dovecot",
            tunnel.port,
            recipients,
            dovecot.count,
            [postfix.pid, dovecot.pid],
            dovecot.pop3s_port,
            dict.fromkeys(recipients, "any"),
        )


@contextmanager
def postern(
    authority: Authority, also: Callable[[], object] = tuple
) -> Iterator[Contender]:
    """Starts one engine process as `make run` does, without antivirus like the other.

    `also` creates more rows before the engine loads the registry.
    """
    call_command("migrate", interactive=False, verbosity=0)
    recipients = _community()
    also()
    posting = settings.POSTERN
    log = posting.path("engine.log")
    engine = Daemon([sys.executable, "manage.py", "run_engine"], log)
    try:
        engine.wait_for(lambda: answers(posting.smtp_port))
        with Stunnel(posting.smtp_port, ca_file=authority.ca_file) as tunnel:
            count = Message.objects.count
            yield Contender("Postern", tunnel.port, recipients, count, [engine.pid])
    finally:
        engine.stop()


def _community() -> list[str]:
    """A firm identified by its source address, and a court with hosted mailboxes."""
    firm = _organisation(Kind.LAW_FIRM, AccountType.SMTP, SENDER.partition("@")[2])
    connections.add(firm, proof=Proof.SOURCE, source_networks=["127.0.0.1/32"], by=None)
    domain = f"court.{settings.POSTERN.community_domain}"
    court = _organisation(Kind.COURT, AccountType.WEBMAIL, domain)
    return [
        people.add(
            court, address=f"user{number}@{domain}", name=f"User {number}", by=None
        ).address
        for number in range(MAILBOXES)
    ]


def _organisation(kind: Kind, account_type: AccountType, domain: str) -> Organisation:
    made = organisations.add(name=domain, kind=kind, account_type=account_type, by=None)
    domains.verify(domains.add(made, member_domain=domain, by=None), by=None)
    organisations.activate(made, by=None)
    return made
