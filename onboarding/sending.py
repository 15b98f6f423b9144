"""What goes along with the claims when an application is sent in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SponsorNamed:
    """Whom the applicant names as sponsor."""

    name: str
    organisation_name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChoice:
    """Who signs the terms: the applicant here and now, or somebody else by a link.

    `terms_id` is the version that was read here; None for somebody else, who reads
    the current one.
    """

    terms_id: int | None
    signed_here: bool
    name: str
    job_title: str
    address: str
