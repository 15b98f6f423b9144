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
    Schedule.objects.update_or_create(
        name="registry.apply_address_changes",
        defaults={
            "func": "engine.registry.tasks.apply_address_changes",
            "schedule_type": Schedule.MINUTES,
            "minutes": 5,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.audit_sign_ins",
        defaults={
            "func": "engine.registry.tasks.audit_sign_ins",
            "schedule_type": Schedule.MINUTES,
            "minutes": 10,
            "cluster": Lane.LONG,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.purge_changes",
        defaults={
            "func": "engine.registry.tasks.purge_changes",
            "schedule_type": Schedule.MINUTES,
            "minutes": 10,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.refold_directory",
        defaults={
            "func": "engine.registry.tasks.refold_directory",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "cluster": Lane.LONG,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.fill_word_columns",
        defaults={
            "func": "engine.registry.tasks.fill_word_columns",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "cluster": Lane.LONG,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.refresh_providers",
        defaults={
            "func": "engine.registry.tasks.refresh_providers",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.CALLS,
        },
    )
    Schedule.objects.update_or_create(
        name="registry.keep_mail_keys",
        defaults={
            "func": "engine.registry.tasks.keep_mail_keys",
            "schedule_type": Schedule.MINUTES,
            "minutes": 5,
            "cluster": Lane.CALLS,
        },
    )
