"""Database models of applications, vetting, provisioning, letters, links and notices."""

from __future__ import annotations

from onboarding.models.application import (
    Application,
    domain_under_suffix,
    new_reference,
)
from onboarding.models.letter import Letter
from onboarding.models.link import Link, LinkPurpose
from onboarding.models.notice import Notice, NoticeKind, NoticeMark
from onboarding.models.provisioning_step import ProvisioningStep
from onboarding.models.terms import Audience, Signature, Terms
from onboarding.models.vetting import (
    Check,
    CheckKey,
    CheckState,
    Question,
    Sponsorship,
    SponsorshipStatus,
)

__all__ = [
    "Application",
    "Audience",
    "Check",
    "CheckKey",
    "CheckState",
    "Letter",
    "Link",
    "LinkPurpose",
    "Notice",
    "NoticeKind",
    "NoticeMark",
    "ProvisioningStep",
    "Question",
    "Signature",
    "Sponsorship",
    "SponsorshipStatus",
    "Terms",
    "domain_under_suffix",
    "new_reference",
]
