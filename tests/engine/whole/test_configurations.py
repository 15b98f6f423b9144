"""Real servers reach a member with the generated configuration and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from engine.registry.models import Connection, Person
from engine.storage.models import Message
from onboarding.connecting import connection_values, setup_guides
from portal.demo.certificates import Authority
from tests.engine.whole.conftest import SECRET
from tests.peers.engine import Engine
from tests.peers.exim import CONFIG, Exim
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

JANE = "jane@firm.example"
BOB = "bob@northfield.secure.example"
LETTER = (
    f"From: <{JANE}>\nTo: <{BOB}>\nMessage-ID: <1@firm.example>\n"
    "Subject: The bundle\n\nGood morning\n"
).encode()
OWN_HOST = {
    # Only where the gateway is on the same host, as in this test.
    "  transport = postern_gate\n": "  transport = postern_gate\n  self = send\n",
    "  driver = smtp\n": "  driver = smtp\n  allow_localhost = true\n",
}


@pytest.fixture
def firm_values(
    authority: Authority,
    engine: Engine,
    firm_with_credential: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> connection_values.ConnectionValues:
    """The firm's values as its pages show them, with the password shown once."""
    own = authority.issue("localhost", "127.0.0.1")
    monkeypatch.setattr(settings.POSTERN, "smtp_port", engine.ports["smtp"])
    monkeypatch.setattr(settings.POSTERN, "tls_ca_file", str(authority.ca_file))
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", str(own.cert_file))
    return connection_values.build(firm_with_credential, password=SECRET)


def main_cf(text: str) -> dict[str, str]:
    """Returns the settings of a main.cf, by name (postconf(5))."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0].isspace():
            found[name] += f"\n{line}"
        else:
            name, value = re.split(r"\s*=\s*", line, maxsplit=1)
            found[name] = value
    return found


def test_a_postfix_sends_with_the_ready_configuration(
    bob: Person,
    firm_values: connection_values.ConnectionValues,
    authority: Authority,
    tmp_path: Path,
) -> None:
    text = setup_guides.render(setup_guides.POSTFIX, firm_values)
    (line,) = re.findall(r"^#   (\[.*)$", text, re.MULTILINE)
    password = tmp_path / "password"
    password.write_text(f"{line}\n")
    text = text.replace("/etc/postfix/postern-password", str(password))
    text = text.replace("/etc/postfix/postern-ca.pem", str(authority.ca_file))
    own = authority.issue("mail.firm.example")

    with Postfix(
        "firm.example",
        "jane",
        cert_file=own.cert_file,
        key_file=own.key_file,
        options=main_cf(text),
    ) as postfix:
        postfix.send(LETTER, sender=JANE, recipients=[BOB])
        wait_until(Message.objects.exists, f"mail from Postfix\n{postfix.log()}")


class ReadyExim(Exim):
    """An Exim with the three parts of the generated configuration in their sections."""

    ready = ""

    def _text(self, copies: dict[str, Path]) -> str:
        parts = re.split(r"^# --- \w+.*\n", self.ready, flags=re.MULTILINE)
        _, routers, transports, authenticators = parts
        usual = CONFIG.format(
            folder=self.folder, port=self.port, **self._facts, **copies
        )
        ours = re.sub(r"(?ms)^gate:\n(  .*?\n)+", "", usual)
        ours = ours[: ours.index("begin authenticators")]
        ours = ours.replace("begin routers\n", f"begin routers\n{routers}")
        ours = ours.replace("begin transports\n", f"begin transports\n{transports}")
        return f"{ours}begin authenticators\n{authenticators}"


def test_an_exim_sends_with_the_ready_configuration(
    bob: Person,
    firm_values: connection_values.ConnectionValues,
    authority: Authority,
    engine: Engine,
) -> None:
    own = authority.issue("mail.firm.example")
    exim = ReadyExim(
        "firm.example",
        "jane",
        cert_file=own.cert_file,
        key_file=own.key_file,
        gate_host="localhost",
        gate_port=engine.ports["smtp"],
        username="unused",
        password="unused",
        ca_file=authority.ca_file,
    )
    text = setup_guides.render(setup_guides.EXIM, firm_values)
    for before, after in OWN_HOST.items():
        text = text.replace(before, after)
    password = exim.folder / "password"
    password.write_text(f"{SECRET}\n")
    text = text.replace("/etc/exim4/postern-password", str(password))
    exim.ready = text.replace(
        "/etc/exim4/postern-ca.pem", str(exim.folder / authority.ca_file.name)
    )

    with exim:
        exim.send(LETTER, sender=JANE, recipients=[BOB])
        wait_until(Message.objects.exists, f"mail from Exim\n{exim.log()}")
