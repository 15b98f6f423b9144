"""The messages that servers report about, and a next hop that refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage

from tests.corpus import material
from tests.corpus.letter import DOMAIN, SENDER
from tests.corpus.material import TEXTS
from tests.next_hop import NextHop

# Outside, where the next hop answers for every address.
AWAY = "clerk@away.example"
UNKNOWN = f"nobody@{DOMAIN}"
REFUSALS = {
    "policy": "550 5.7.1 Not wanted here: <b>policy</b> & rules",
    "full": "552 5.2.2 Mailbox is full",
    "old": "550 No such user",
    "several lines": "550-5.1.1 The account\r\n550-5.1.1 does not exist.\r\n550 5.1.1 x",
}


def originals(few: bool = False) -> dict[str, bytes]:
    """Returns messages to report about, by their kind; the fullest alone if `few`."""
    plain = _blank("plain")
    plain.set_content("The words that came back.\n")
    cyrillic = _blank("Cyrillic")
    cyrillic.replace_header("Subject", "Судебное решение")
    cyrillic.set_content(TEXTS["koi8-r"] + "\n", charset="koi8-r", cte="8bit")
    rich = _blank("rich")
    rich.set_content("The plan is below.\n")
    rich.add_alternative(material.as_html("The plan."), subtype="html")
    rich.add_attachment(
        material.pdf("returned"),
        maintype="application",
        subtype="pdf",
        filename="Załącznik.pdf",
    )
    eight_bit = policy.SMTP.clone(cte_type="8bit", linesep="\n")
    made = {"plain": plain, "Cyrillic": cyrillic, "rich": rich}
    if few:
        made = {"rich": rich}
    return {kind: one.as_bytes(policy=eight_bit) for kind, one in made.items()}


def _blank(kind: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = AWAY
    message["Subject"] = f"Original, {kind}"
    message["Message-ID"] = f"<original.{kind.lower()}@{DOMAIN}>"
    message["Date"] = "Mon, 02 Nov 2026 09:00:00 +0000"
    return message


@contextmanager
def next_hop() -> Iterator[NextHop]:
    """Starts a server without TLS; what it replies is set on it."""
    hop = NextHop(context=None)
    hop.start()
    try:
        yield hop
    finally:
        hop.stop()
