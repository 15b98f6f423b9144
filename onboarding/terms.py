"""Parses the terms of use into clauses, and publishes their first version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onboarding.models import Audience, Terms

INITIAL_TEXTS = Path(__file__).parent / "terms_of_use"
HEADING = "# "


@dataclass(frozen=True, slots=True)
class Clause:
    """A heading and the paragraphs below it."""

    title: str
    paragraphs: tuple[str, ...]


def clauses(text: str) -> list[Clause]:
    """Parses terms: `# ` starts a heading, blank lines separate paragraphs."""
    found: list[Clause] = []
    for block in filter(None, (block.strip() for block in text.split("\n\n"))):
        if block.startswith(HEADING):
            found.append(Clause(block.removeprefix(HEADING), ()))
        else:
            last = found.pop() if found else Clause("", ())
            paragraph = " ".join(block.split())
            found.append(Clause(last.title, (*last.paragraphs, paragraph)))
    return found


def publish_initial_terms() -> None:
    """Publishes version 1 for each audience that has no terms yet. Idempotent."""
    for audience in Audience:
        if not Terms.objects.filter(audience=audience).exists():
            text = (INITIAL_TEXTS / f"{audience}.txt").read_text()
            Terms.objects.get_or_create(
                audience=audience, version=1, defaults={"text": text}
            )
