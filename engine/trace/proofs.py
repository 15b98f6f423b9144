"""Says in words what a message showed of its origin on arrival."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SPF = {
    "pass": "The server may send for {domain}",
    "fail": "The server may not send for {domain}",
    "softfail": "The server should not send for {domain}",
    "neutral": "{domain} does not say whether the server may send for it",
    "none": "{domain} does not say which servers send for it",
    "temperror": "The servers of {domain} could not be looked up",
    "permerror": "The record of {domain} is faulty",
}
DKIM = {
    "pass": "Signed by {domain}, and unchanged since",
    "fail": "The signature of {domain} is broken",
    "policy": "The signature of {domain} is not accepted",
    "temperror": "The key of {domain} could not be looked up",
    "permerror": "The signature of {domain} cannot be read",
}
DMARC = {
    "pass": "Proved to come from {domain}",
    "fail": "Could not be proved to come from {domain}",
    "none": "{domain} has no policy that asks for proof",
    "temperror": "Whether it comes from {domain} could not be looked up",
    "permerror": "The author’s domain is not clear",
}
ARC = {
    "pass": "The servers on the way vouch for it",
    "fail": "What the servers on the way say is broken",
    "temperror": "The keys of the servers on the way could not be looked up",
}
METHODS = {"spf": SPF, "dkim": DKIM, "dmarc": DMARC, "arc": ARC}


def in_words(detail: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields a method and a sentence for each result in an event's detail."""
    for method, outcome, domain, reason in detail.get("proofs", ()):
        text = METHODS[method][outcome].format(domain=domain or "an unknown domain")
        yield method.upper(), f"{text}: {reason}" if reason else text
