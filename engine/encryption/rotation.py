"""Rotates keys by wrapping again what they wrap; nothing that is stored is rewritten.

Each batch is a transaction, and what is left is found by looking for it: work that was
interrupted, however rudely, goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.db import transaction
from django.db.models import Max

from engine.audit.record import record
from engine.database import clock
from engine.encryption import master_keys, organisation_keys, wrapping
from engine.encryption.models import OrganisationKey, WrappedKey
from engine.encryption.organisation_keys import CURRENT_SECONDS
from engine.registry.models import Actor

BATCH = 500  # keys in one transaction
# Until then a process may still wrap with the version before; see CURRENT_SECONDS.
SETTLED = timedelta(seconds=CURRENT_SECONDS * 5)


def rewrap_by_master(*, everything: bool = False) -> int:
    """Wraps organisations' keys by the current master key; returns how many.

    Those that it wraps already are left, unless `everything` is to be wrapped again, as
    after a change within a KMS. Raises MasterKeyUnavailableError and TamperedError.
    """
    current = master_keys.current()
    rows = OrganisationKey.objects.filter(destroyed_at=None).order_by("pk")
    if not everything:
        rows = rows.exclude(master=current.id)
    done = 0
    for row in list(rows):
        before = bytes(row.wrapped)
        secret = master_keys.by_id(row.master).unwrap(before, row.context)
        # Only where nobody destroyed or wrapped it meanwhile.
        done += OrganisationKey.objects.filter(pk=row.pk, wrapped=before).update(
            wrapped=current.wrap(secret, row.context), master=current.id
        )
    return done


@transaction.atomic
def renew(organisation_id: int, *, by: Actor | None) -> OrganisationKey:
    """Makes a new version of an organisation's key, which wraps from now on.

    `rewrap` brings what earlier versions wrapped under it. Raises
    MasterKeyUnavailableError.
    """
    rows = OrganisationKey.objects.filter(organisation_id=organisation_id)
    newest = rows.aggregate(newest=Max("version"))["newest"] or 0
    row = organisation_keys.create(organisation_id, version=newest + 1)
    record(
        "encryption.key_rotated",
        row,
        organisation_key=organisation_id,
        detail={"version": row.version},
        by=by,
    )
    return row


def rewrap(organisation_id: int) -> Iterator[int]:
    """Wraps everything by the newest version of an organisation's key, in batches.

    Yields the size of each batch. Then deletes earlier versions, once no process uses
    them. Raises MasterKeyUnavailableError, TamperedError and NoKeyError.
    """
    versions = OrganisationKey.objects.filter(organisation_id=organisation_id)
    newest = versions.order_by("version").last()
    if newest is None or newest.destroyed_at is not None:
        return
    earlier = versions.filter(version__lt=newest.version)
    ids = list(earlier.values_list("pk", flat=True))
    for table in wrapped_tables():
        while count := _rewrap_batch(table, ids, newest):
            yield count
    if newest.created_at < clock.now() - SETTLED:
        # PROTECT refuses while a key that another process wrapped just now needs one.
        earlier.filter(pk__in=ids).delete()


def rewrap_all() -> int:
    """Wraps by the newest version what earlier versions of any key wrap."""
    rows = OrganisationKey.objects.filter(version__gt=1, destroyed_at=None)
    rotated = set(rows.values_list("organisation_id", flat=True))
    return sum(sum(rewrap(organisation_id)) for organisation_id in rotated)


def wrapped_tables() -> list[type[WrappedKey]]:
    """Returns every table of keys that organisations' keys wrap."""
    return [model for model in apps.get_models() if issubclass(model, WrappedKey)]


@transaction.atomic
def _rewrap_batch(
    table: type[WrappedKey], earlier: list[int], newest: OrganisationKey
) -> int:
    locked = table._default_manager.filter(key__in=earlier).select_for_update(
        of=("self",)
    )
    rows = list(locked.select_related("key").order_by("pk")[:BATCH])
    by = organisation_keys.unwrap(newest) if rows else b""
    for row in rows:
        secret = wrapping.unwrap(
            organisation_keys.unwrap(row.key), bytes(row.wrapped), row.context
        )
        row.key, row.wrapped = newest, wrapping.wrap(by, secret, row.context)
    table._default_manager.bulk_update(rows, ["key", "wrapped"], batch_size=100)
    return len(rows)
