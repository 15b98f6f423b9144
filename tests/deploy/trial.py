"""Mail through an installed service: by swaks, mpop and curl, from a host of the drill."""

from __future__ import annotations

import re

from tests.deploy.machine import Machine
from tests.deploy.surroundings import GATE, SITE
from tests.peers.clamd import EICAR

OLIVE, BEN = "olive@justice.test", "ben@justice.test"
# Until the website is ready and the engine listens.
AWAIT = """\
set +x
for port in 8000 25; do
  for i in $(seq 600); do (exec 3<>/dev/tcp/ADDRESS/$port) 2>/dev/null && break; sleep 0.2; done
done
curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail http://ADDRESS:8000/health/ready
"""
MEMBERS = """
from engine.registry.actions import people
from engine.registry.models import Kind, Organisation, Person
from portal.account_admin import emails
operator = Organisation.objects.get(kind=Kind.OPERATOR)
olive = Person.objects.get(address="olive@justice.test")
ben = people.add(operator, address="ben@justice.test", name="Ben Barr",
                 everyday_address="ben@ministry.test", by=None)
emails.send_invitation(ben)
for person in (olive, ben):
    print("APP", person.address, people.add_app_password(person, name="drill", by=person)[1])
"""
INVITATION = "Sign in to Justice Mail"
# As the console's queue does it.
RETRY = """
from engine.queue import operator_actions
from engine.queue.models import Recipient
rows = list(Recipient.objects.filter(status="queued").values_list("pk", flat=True))
print("RETRIED", operator_actions.retry(rows, by=None))
"""


def await_service(host: Machine, address: str = "127.0.0.1") -> None:
    """Waits until the website is ready and the engine listens."""
    host.run(AWAIT.replace("ADDRESS", address))


def shell(host: Machine, code: str) -> str:
    """Runs Python in the service's environment."""
    host.file("/root/drill.py").write_text(code)
    return host.run('postern shell -v0 -c "$(cat /root/drill.py)"')


def add_members(host: Machine) -> dict[str, str]:
    """Adds a member to the first operator; returns both app passwords by address.

    The member's invitation waits until the smart host answers.
    """
    shown = shell(host, MEMBERS)
    return dict(re.findall(r"^APP (\S+) (\S+)$", shown, re.MULTILINE))


def send(
    client: Machine, passwords: dict[str, str], subject: str, more: str = ""
) -> None:
    """Sends a message from Olive to Ben."""
    client.run(f"{_swaks(passwords)} --header 'Subject: {subject}' {more} | tail -3")


def send_all_kinds(client: Machine, passwords: dict[str, str]) -> None:
    """Sends messages, small and large, and a virus, which is refused; fetches them."""
    send(client, passwords, "The listing")
    # Larger than what the database keeps inline.
    client.run("head -c 3000000 /dev/urandom > /root/bundle.bin")
    send(client, passwords, "The bundle", "--attach @/root/bundle.bin")
    client.file("/root/eicar.txt").write_bytes(EICAR)
    client.run(
        f"if {_swaks(passwords)} --attach @/root/eicar.txt >/root/refused; then exit 1; fi\n"
        "grep '^<.\\* 554' /root/refused"
    )
    fetch(client, passwords, ["The listing", "The bundle"])
    client.run(f"curl -sf -o /dev/null -w '%{{http_code}} %{{url}}\\n' https://{SITE}/")


def fetch(client: Machine, passwords: dict[str, str], subjects: list[str]) -> None:
    """Fetches Ben's mail by mpop: exactly one message with each subject."""
    settings = client.file("/root/.mpoprc")
    settings.write_text(
        f"account default\nhost {GATE}\nport 995\ntls on\ntls_starttls off\n"
        f"user {BEN}\nauth user\nkeep off\nreceived_header off\n"
        "tls_trust_file /etc/ssl/certs/ca-certificates.crt\n"
        f"password {passwords[BEN]}\ndelivery maildir /root/mail\n"
    )
    settings.chmod(0o600)
    found = "".join(f"grep -l 'Subject: {one}' /root/mail/new/*\n" for one in subjects)
    client.run(
        "rm -rf /root/mail /root/.mpop_uidls\nmkdir -p /root/mail/{new,cur,tmp}\n"
        f"mpop -q -C /root/.mpoprc\n{found}"
        f"test $(ls /root/mail/new | wc -l) = {len(subjects)}"
    )


def _swaks(passwords: dict[str, str]) -> str:
    return (
        f"swaks --server {GATE}:587 --tls --tls-verify --auth PLAIN --auth-user {OLIVE} "
        f"--auth-password {passwords[OLIVE]} --from {OLIVE} --to {BEN}"
    )
