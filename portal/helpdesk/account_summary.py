"""Summarises a member's account for the helpdesk: it explains most questions."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.template.defaultfilters import filesizeformat

from engine.registry.credentials.account_recovery import pending_change
from engine.registry.models import Person
from portal.ui import date_formats

# The share of the quota from which on a mailbox is shown as nearly full.
NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the summary. `is_doubt` marks a likely reason for the question."""

    label: str
    value: str
    is_doubt: bool = False


def facts(person: Person) -> list[Fact]:
    """Returns the facts about the account, the organisation and the mailbox."""
    return [
        _account(person),
        *_organisation(person),
        _second_factor(person),
        _everyday_address(person),
        _last_sign_in(person),
        *_mailbox(person),
        *_connection(person),
    ]


def as_text(person: Person) -> str:
    """Returns the facts as text, to be stored as they were when the ticket was opened."""
    lines = [f"{fact.label}: {fact.value}" for fact in facts(person)]
    return "\n".join(["The account when the ticket was opened:", *lines])


def _account(person: Person) -> Fact:
    if person.is_active:
        return Fact("Account", "Active")
    return Fact("Account", "Suspended", is_doubt=True)


def _organisation(person: Person) -> list[Fact]:
    organisation = person.organisation
    if organisation is None:
        return []
    value = f"{organisation.name}, {organisation.get_status_display().lower()}"
    kind = organisation.get_account_type_display()
    return [
        Fact("Organisation", value, is_doubt=not organisation.is_active),
        Fact("Account type", kind),
    ]


def _second_factor(person: Person) -> Fact:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    has_one = Authenticator.objects.filter(user=person, type__in=kinds).exists()
    return Fact("Second factor", "Set up" if has_one else "None")


def _everyday_address(person: Person) -> Fact:
    """Shows whether a link can be sent and whether a change is pending; never the address."""
    if pending_change(person) is not None:
        return Fact("Everyday address", "A change is pending", is_doubt=True)
    has_one = bool(person.notice_address)
    return Fact("Everyday address", "Known" if has_one else "None", not has_one)


def _last_sign_in(person: Person) -> Fact:
    if person.last_login is None:
        return Fact("Last sign-in", "Never", is_doubt=True)
    return Fact("Last sign-in", date_formats.format_datetime(person.last_login))


def _mailbox(person: Person) -> list[Fact]:
    mailbox = getattr(person, "mailbox", None)
    if mailbox is None:
        return [Fact("Mailbox", "None here")]
    if not mailbox.is_active:
        return [Fact("Mailbox", "Suspended", is_doubt=True)]
    if person.is_mail_shut:
        return [Fact("Mailbox", "Locked after a recovery", is_doubt=True)]
    used = mailbox.used_bytes
    value = f"{filesizeformat(used)} of {filesizeformat(mailbox.quota_bytes)}"
    return [Fact("Mailbox", value, is_doubt=used > NEARLY_FULL * mailbox.quota_bytes)]


def _connection(person: Person) -> list[Fact]:
    organisation = person.organisation
    if organisation is None or organisation.is_hosted:
        return []
    works = organisation.connections.filter(is_active=True).exists()
    return [Fact("Connection", "Active" if works else "None works", not works)]
