"""Postfix's own bounces, delay notices, reports of success and of an address's state."""

from __future__ import annotations

import subprocess
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
from tests.peers.postfix import Postfix
from tests.peers.process import open_folder, remove_folder

PROGRAM = "Postfix"
LOCAL = SENDER.partition("@")[0]
TEMPLATES = """\
failure_template = <<END
Charset: utf-8
From: MAILER-DAEMON (Zustelldienst)
Subject: Nachricht nicht zustellbar
Postmaster-Subject: Postmaster

Ihre Nachricht wurde nicht zugestellt: bitte prüfen Sie die Adresse.
END
"""


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
        self.folder = folder
        self.few = few
        self.options = {
            "relayhost": f"[127.0.0.1]:{hop.port}",
            "smtpd_tls_security_level": "none",
            "smtpd_tls_cert_file": "",
            "smtpd_tls_key_file": "",
        }

    def letters(self) -> Iterator[Letter]:
        with self._server() as server:
            for kind, raw in originals(self.few).items():
                for returned in ("full", "hdrs"):
                    yield self._report(
                        server, f"bounce of {kind}, {returned}", raw, "-R", returned
                    )
                    yield self._report(
                        server,
                        f"delivered {kind}, {returned}",
                        raw,
                        *("-R", returned, "-N", "success", "-V", "envelope-1"),
                        to=SENDER,
                        others=1,
                    )
                yield self._report(
                    server, f"relayed {kind}", raw, "-N", "success", to=AWAY
                )
            plain = originals()["plain"]
            for kind, reply in REFUSALS.items():
                self.hop.rcpt_replies[AWAY] = [reply]
                yield self._report(server, f"refused: {kind}", plain, to=AWAY)
            self.hop.data_replies[:] = ["554 5.6.0 Content not allowed"]
            yield self._report(server, "content refused", plain, to=AWAY)
            yield self._report(server, "state of an address", plain, "-bv", to=SENDER)
            self.hop.rcpt_replies[AWAY] = ["550 5.1.1 no", "550 5.1.1 no"]
            yield self._report(server, "two refused", plain, to=AWAY, also=UNKNOWN)
        with self._server(delay_warning_time="1s") as server:
            self.hop.rcpt_replies[AWAY] = ["451 4.3.0 Later"] * 500
            yield self._report(server, "delayed", plain, to=AWAY)
            self.hop.rcpt_replies.clear()
        if self.few:
            return
        with self._server(bounce_size_limit="1") as server:
            yield self._report(server, "bounce, cut off", originals()["rich"])
        with self._server(templates=TEMPLATES) as server:
            yield self._report(server, "bounce in German", originals()["Cyrillic"])

    def _server(self, templates: str = "", **options: str) -> Postfix:
        file = self.folder / "templates"
        file.write_text(templates)
        if templates:
            options["bounce_template_file"] = str(file)
        return Postfix(
            DOMAIN,
            LOCAL,
            cert_file=Path(),
            key_file=Path(),
            options={**self.options, **options},
        )

    def _report(
        self,
        server: Postfix,
        shape: str,
        raw: bytes,
        *options: str,
        to: str = UNKNOWN,
        also: str = "",
        others: int = 0,
    ) -> Letter:
        """Sends a message that makes one report, and `others` besides it."""
        before = server.messages(LOCAL)
        command = ["sendmail", "-C", str(server.folder / "etc"), "-i", "-f", SENDER]
        subprocess.run(
            [*command, *options, "--", *filter(None, (to, also))],
            input=raw,
            check=True,
            capture_output=True,
        )
        arrived = server.wait_for_messages(LOCAL, len(before) + 1 + others)
        new = [one for one in arrived if one not in before]
        [report] = [one for one in new if b"Auto-Submitted: auto" in one]
        lines = report.splitlines()
        return Letter(PROGRAM, shape, b"\r\n".join(lines) + b"\r\n", sender="")
