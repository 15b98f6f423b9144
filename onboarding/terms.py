"""The terms of use: their clauses, and the first version of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onboarding.models import Audience, Terms

FIRST = Path(__file__).parent / "first_terms"
HEADING = "# "


@dataclass(frozen=True, slots=True)
class Clause:
    """One heading and the paragraphs below it."""

    title: str
    paragraphs: tuple[str, ...]


def clauses(text: str) -> list[Clause]:
    """Read the text of terms: `# ` begins a heading, blank lines part paragraphs."""
    found: list[Clause] = []
    for block in filter(None, (block.strip() for block in text.split("\n\n"))):
        if block.startswith(HEADING):
            found.append(Clause(block.removeprefix(HEADING), ()))
        else:
            last = found.pop() if found else Clause("", ())
            paragraph = " ".join(block.split())
            found.append(Clause(last.title, (*last.paragraphs, paragraph)))
    return found


def publish_first() -> None:
    """Write down version 1 of each kind of terms, where there is none yet."""
    for audience in Audience:
        if not Terms.objects.filter(audience=audience).exists():
            text = (FIRST / f"{audience}.txt").read_text()
            Terms.objects.get_or_create(
                audience=audience, version=1, defaults={"text": text}
            )
