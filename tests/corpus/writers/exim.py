"""Exim's own bounces, delay notices, reports of success and automatic answers."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

from tests.corpus.letter import DOMAIN, SENDER, Letter
from tests.corpus.writers.originals import (
    AWAY,
    REFUSALS,
    UNKNOWN,
    next_hop,
    originals,
)
from tests.next_hop import NextHop
from tests.peers.exim import Exim
from tests.peers.process import open_folder, remove_folder

PROGRAM = "Exim"
LOCAL = SENDER.partition("@")[0]
AUTOMATIC = f"away@{DOMAIN}"
CONFIG = """\
exim_path = {folder}/exim4
primary_hostname = mail.{domain}
qualify_domain = {domain}
domainlist local_domains = {domain}
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
local_interfaces = <; [127.0.0.1]:{port}
acl_smtp_rcpt = accept
deliver_drop_privilege = true
keep_environment =
dsn_advertise_hosts = *
dsn_from = Mail Delivery System <Mailer-Daemon@{domain}>
{options}

begin routers
automatic:
  driver = accept
  domains = +local_domains
  local_parts = away
  transport = automatic
here:
  driver = accept
  domains = +local_domains
  local_parts = {local}
  transport = maildir
out:
  driver = manualroute
  domains = ! +local_domains
  route_list = * 127.0.0.1 byname
  self = send
  transport = out

begin transports
automatic:
  driver = autoreply
  from = {local}@{domain}
  to = $sender_address
  subject = Away: $h_subject:
  text = I am away until Monday.
  return_message
maildir:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
out:
  driver = smtp
  port = {out}
  allow_localhost = true

begin retry
* * F,1h,1s
"""
BODY = """\
Subject: Nachricht nicht zustellbar
****
Ihre Nachricht an folgende Adressen wurde nicht zugestellt:

****
Der Server gab dazu an:
****
Die Nachricht folgt.
****
Die ersten Zeilen folgen.
****
Nur der Kopf folgt.
****
"""


class _Reporting(Exim):
    """An Exim that delivers outside mail to a next hop, and reports to its own user."""

    def __init__(self, out: int, empty: Path, options: tuple[str, ...]) -> None:
        super().__init__(
            DOMAIN,
            LOCAL,
            cert_file=empty,
            key_file=empty,
            gate_host="",
            gate_port=out,
            username="",
            password="",
            ca_file=empty,
        )
        self._options = "\n".join(options)

    def _text(self, copies: dict[str, Path]) -> str:
        return CONFIG.format(
            folder=self.folder,
            port=self.port,
            domain=DOMAIN,
            local=LOCAL,
            out=self._facts["gate_port"],
            options=self._options,
        )


def letters(*, few: bool = False) -> Iterator[Letter]:
    folder = open_folder()
    try:
        with next_hop() as hop:
            yield from _Reports(hop, folder, few).letters()
    finally:
        remove_folder(folder)


class _Reports:
    def __init__(self, hop: NextHop, folder: Path, few: bool) -> None:
        self.hop = hop
        self.few = few
        self.empty = folder / "empty"
        self.empty.touch()
        self.body = folder / "body"
        self.body.write_text(BODY)
        self.body.chmod(0o644)
        folder.chmod(0o755)

    def letters(self) -> Iterator[Letter]:
        made = originals(self.few)
        plain = originals()["plain"]
        with self._server() as server:
            for kind, raw in made.items():
                yield self._report(server, f"bounce of {kind}", raw)
                for notify in ("RET=FULL", "RET=HDRS"):
                    shape = f"delivered {kind}, {notify}"
                    yield self._report(server, shape, raw, AWAY, ret=notify)
                yield self._report(
                    server, f"automatic answer to {kind}", raw, AUTOMATIC
                )
            for kind, reply in REFUSALS.items():
                self.hop.rcpt_replies[AWAY] = [reply]
                yield self._report(server, f"refused: {kind}", plain, AWAY)
            self.hop.data_replies[:] = ["554 5.6.0 Content not allowed"]
            yield self._report(server, "content refused", plain, AWAY)
            self.hop.rcpt_replies[AWAY] = ["550 5.1.1 no"]
            yield self._report(server, "two refused", plain, AWAY, UNKNOWN)
        if self.few:
            return
        for shape, option in (
            ("bounce without the message", "bounce_return_message = false"),
            ("bounce with the header only", "bounce_return_body = false"),
            ("bounce, cut off", "bounce_return_size_limit = 200"),
            ("bounce in German", f"bounce_message_file = {self.body}"),
        ):
            with self._server(option) as server:
                for kind in ("plain", "rich"):
                    yield self._report(server, f"{shape}: {kind}", made[kind])
        with self._server("delay_warning = 1s") as server:
            self.hop.rcpt_replies[AWAY] = ["451 4.3.0 Later"] * 500
            yield self._report(server, "delayed", plain, AWAY)
            self.hop.rcpt_replies.clear()

    def _server(self, *options: str) -> _Reporting:
        return _Reporting(self.hop.port, self.empty, options)

    def _report(
        self, server: Exim, shape: str, raw: bytes, *to: str, ret: str = ""
    ) -> Letter:
        """Sends a message that makes one report, which Exim delivers to the sender."""
        before = server.messages()
        recipients = list(to) or [UNKNOWN]
        if ret:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
                notify = ["NOTIFY=SUCCESS,FAILURE"]
                client.sendmail(SENDER, recipients, raw, ["BODY=8BITMIME", ret], notify)
        else:
            server.send(raw, sender=SENDER, recipients=recipients)
        arrived = server.wait_for_messages(len(before) + 1)
        [report] = [one for one in arrived if one not in before]
        lines = report.splitlines()
        return Letter(PROGRAM, shape, b"\r\n".join(lines) + b"\r\n", sender="")
