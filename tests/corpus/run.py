"""Writes the corpus, sends it in, reads it back, and compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from tests.corpus.api_reader import ApiReader
from tests.corpus.comparison import Fault, Finding, compare
from tests.corpus.leaves import leaves_of
from tests.corpus.letter import Letter
from tests.corpus.webmail_reader import WebmailReader
from tests.corpus.writers import (
    exim,
    mutt,
    nodemailer,
    openssl,
    postfix,
    python_email,
    s_nail,
    thunderbird,
)
from tests.peers.postern import Postern

WRITERS = (
    python_email,
    nodemailer,
    mutt,
    s_nail,
    openssl,
    thunderbird,
    postfix,
    exim,
)
READER = "ben@northgate.secure.example"


@dataclass(slots=True)
class Outcome:
    """What came of a corpus. `slowest` is a page's time in seconds."""

    letters: Sequence[Letter]
    findings: list[Finding] = field(default_factory=list)
    leaves: int = 0
    pages: int = 0
    slowest: float = 0.0
    slowest_letter: str = ""

    def count(self, fault: Fault) -> int:
        return sum(finding.fault is fault for finding in self.findings)

    def in_words(self) -> str:
        programs = {letter.program for letter in self.letters}
        counts = ", ".join(f"{fault.value} {self.count(fault)}" for fault in Fault)
        return (
            f"{len(self.letters)} messages by {len(programs)} programs: {counts}\n"
            f"{self.leaves} leaves on {self.pages} pages; the slowest took "
            f"{1000 * self.slowest:.0f} ms ({self.slowest_letter})"
        )


def write(*, few: bool) -> Iterator[Letter]:
    """Starts each program and yields what it writes.

    With `few`, in fewer shapes, of which every third is taken.
    """
    for writer in WRITERS:
        yield from islice(writer.letters(few=few), None, None, 3 if few else 1)


def read(
    postern: Postern, letters: Sequence[Letter], ids: Mapping[str, int]
) -> Outcome:
    """Reads each letter by webmail and API. `ids` are the stored messages' numbers."""
    outcome = Outcome(letters)
    webmail = WebmailReader(postern, postern.person("member", address=READER))
    api = ApiReader(postern)
    try:
        found = leaves_of([letter.raw for letter in letters])
        for letter, leaves in zip(letters, found, strict=True):
            number = ids[letter.message_id]
            seen = webmail.read(number, letter)
            outcome.findings += compare(letter, "webmail", leaves, seen)
            outcome.findings += compare(letter, "API", leaves, api.read(number))
            outcome.leaves += len(leaves)
            outcome.pages += seen.pages
            if seen.slowest > outcome.slowest:
                outcome.slowest, outcome.slowest_letter = seen.slowest, letter.name
    finally:
        webmail.close()
        api.close()
    return outcome
