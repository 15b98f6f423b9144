"""What is written down about organisations on their way in, one noun a file."""

from __future__ import annotations

from onboarding.models.application import (
    Application,
    domain_under_suffix,
    new_reference,
)
from onboarding.models.check import Check, CheckKey, CheckState
from onboarding.models.letter import Letter
from onboarding.models.link import Link, LinkPurpose
from onboarding.models.notice import Notice, NoticeKind, NoticeMark
from onboarding.models.provisioning_step import ProvisioningStep
from onboarding.models.question import Question
from onboarding.models.sponsorship import Sponsorship, SponsorshipStatus
from onboarding.models.terms import Audience, Signature, Terms

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
