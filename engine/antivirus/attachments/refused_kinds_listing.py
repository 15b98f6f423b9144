"""Lists the kinds of attachments that this community refuses, for a page."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from engine.antivirus.attachments import refused_kinds
from engine.antivirus.attachments.inspection import is_refused
from engine.antivirus.scanners import coverage_proof


@dataclass(frozen=True, slots=True)
class Listing:
    """The refused kinds by group, and the differences from the default.

    `added` are refused here beyond the default; `allowed` travel here despite it. With
    `warns`, pages and drawings (`active`) travel with a warning. With `carries_encrypted`,
    encrypted content travels with a mark. `unopened` are archives that are refused because
    the scanner does not open them.
    """

    groups: list[tuple[str, list[str]]]
    added: list[str]
    allowed: list[str]
    active: list[str]
    warns: bool
    carries_encrypted: bool
    unopened: list[str]

    @property
    def differs(self) -> bool:
        """Whether the community's list differs from the default."""
        return bool(self.added or self.allowed or not self.warns)


def listing() -> Listing:
    """Returns the community's list, by the POSTERN_ATTACHMENTS_* settings."""
    service = settings.POSTERN
    default = (
        refused_kinds.REFUSED_ENDINGS
        | refused_kinds.REFUSED_TYPES
        | refused_kinds.TYPES.keys()
    )
    groups = [(group.title, _refused(group.endings)) for group in refused_kinds.GROUPS]
    return Listing(
        groups=[(title, endings) for title, endings in groups if endings],
        added=sorted(service.attachments_refused - default),
        allowed=sorted(service.attachments_allowed & default),
        active=sorted(refused_kinds.ACTIVE_ENDINGS - service.attachments_allowed),
        warns=bool(service.attachments_active == "warn"),
        carries_encrypted=bool(service.encrypted_content == "mark"),
        unopened=sorted(
            coverage_proof.current()
            & set(coverage_proof.ARCHIVES) - service.archives_unscanned
        ),
    )


def _refused(endings: frozenset[str]) -> list[str]:
    return sorted(filter(is_refused, endings))
