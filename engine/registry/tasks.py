"""Scheduled jobs of the registry. Their dotted names are stored in the database."""

from __future__ import annotations

from django_q.models import Schedule

from engine.database import batches
from engine.lanes import Lane
from engine.registry import change_log, word_columns
from engine.registry.actions import connections, mail_keys, recovery
from engine.registry.connections import spf
from engine.registry.connections.cloud_providers import PROVIDERS
from engine.registry.credentials import sign_in_tally
from engine.registry.directory import index
from engine.registry.models import Provider


def refresh_providers() -> None:
    """Looks up each cloud provider's networks. Idempotent.

    Raises DnsUnavailable or PolicyError: the job fails, and what was known stays.
    """
    batches.for_each(Provider, _refresh)


def _refresh(provider: Provider) -> None:
    found = spf.sending_networks(PROVIDERS[provider].spf_name)
    connections.set_provider_networks(provider, found, by=None)


def apply_address_changes() -> int:
    """Applies changes of everyday addresses whose delay is over. Returns how many."""
    return recovery.apply_due_changes()


def audit_sign_ins() -> int:
    """Appends to the audit trail what is counted of sign-ins whose hour is over."""
    return sign_in_tally.append_due()


def purge_changes() -> int:
    """Delete the part of the change log that no process needs any more."""
    return batches.run(change_log.purge)


def refold_directory() -> int:
    """Brings the directory's index to the present folding; returns the steps it took."""
    return batches.run(index.refold_next)


def fill_word_columns() -> int:
    """Writes the words that lists are searched by, where they are missing or outdated.

    Returns the steps it took. Idempotent.
    """
    return batches.run(word_columns.fill_next)


def keep_mail_keys() -> int:
    """Checks the DNS records of the keys that sign mail, and changes keys that are due.

    Returns how many domains it checked. Idempotent.
    """
    return mail_keys.keep()


def schedule_jobs() -> None:
    """Schedules the jobs, after each migration. Idempotent."""
    for name, minutes, lane in (
        ("apply_address_changes", 5, None),
        ("audit_sign_ins", 10, Lane.LONG),
        ("purge_changes", 10, None),
        ("refold_directory", 1, Lane.LONG),
        ("fill_word_columns", 1, Lane.LONG),
        ("refresh_providers", None, Lane.CALLS),
        ("keep_mail_keys", 5, Lane.CALLS),
    ):
        Schedule.objects.update_or_create(
            name=f"registry.{name}",
            defaults={
                "func": f"engine.registry.tasks.{name}",
                "schedule_type": Schedule.MINUTES if minutes else Schedule.DAILY,
                "minutes": minutes,
                "cluster": lane,
            },
        )
