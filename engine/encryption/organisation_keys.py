"""Organisations' keys: made when first needed, unwrapped once, and held in memory.

Held with a bound and a lifetime, POSTERN_KEY_CACHE_SECONDS, so that a KMS that is away
for a while stops no mail whose keys are held.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import transaction

from engine.encryption import master_keys, stream
from engine.encryption.errors import MasterKeyUnavailableError, NoKeyError
from engine.encryption.models import OrganisationKey

log = logging.getLogger(__name__)

# Keys in memory: of every organisation of a large community, about 200 octets each.
MOST_HELD = 20_000
# Seconds after which a process notices that an organisation has a newer key. Rotation
# keeps the earlier one for longer.
CURRENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class HeldKey:
    """An organisation's key, unwrapped, with the id of its row."""

    row_id: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    key: HeldKey
    wrapped: bytes
    until: float


class _Memory:
    """Keys by a number, the least recently used of which make room."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, number: int) -> _Entry | None:
        with self._lock:
            entry = self._entries.get(number)
            if entry is None or entry.until < time.monotonic():
                return None
            self._entries.move_to_end(number)
            return entry

    def put(self, number: int, entry: _Entry) -> None:
        with self._lock:
            self._entries[number] = entry
            self._entries.move_to_end(number)
            while len(self._entries) > MOST_HELD:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_by_row = _Memory()
_current = _Memory()  # by organisation


def forget_all() -> None:
    """Forgets the keys in memory."""
    _by_row.clear()
    _current.clear()


def unwrap(row: OrganisationKey) -> bytes:
    """Returns the key of a row.

    Raises NoKeyError where it was destroyed, MasterKeyUnavailableError, and
    TamperedError.
    """
    return _held(row.pk, bytes(row.wrapped)) or unwrap_by_master(row)


def unwrap_by_id(row_id: int, wrapped: bytes) -> bytes:
    """Returns the key of the row with this id, of which `wrapped` was just read.

    Raises as `unwrap` does.
    """
    return _held(row_id, wrapped) or unwrap(OrganisationKey.objects.get(pk=row_id))


def unwrap_by_master(row: OrganisationKey) -> bytes:
    """Unwraps the key of a row by the master key, and holds it from now on.

    Raises as `unwrap` does.
    """
    if row.destroyed_at is not None:
        raise NoKeyError(
            "The organisation's key was destroyed when it left. What was encrypted under "
            "it cannot be read again."
        )
    secret = master_keys.by_id(row.master).unwrap(bytes(row.wrapped), row.context)
    lifetime = float(settings.POSTERN.key_cache_seconds)
    _hold(_by_row, row.pk, row, secret, lifetime)
    return secret


def _held(row_id: int, wrapped: bytes) -> bytes | None:
    entry = _by_row.get(row_id)
    # Compared, because the row may have been destroyed, wrapped again, or rolled back.
    if entry is None or entry.wrapped != wrapped:
        return None
    return entry.key.secret


def current(organisation_id: int) -> HeldKey:
    """Returns the key that wraps for an organisation; makes its first one.

    Raises MasterKeyUnavailableError.
    """
    found = currents([organisation_id])
    if organisation_id not in found:
        raise MasterKeyUnavailableError(
            f"The key of organisation {organisation_id} cannot be had at the moment."
        )
    return found[organisation_id]


def currents(
    organisation_ids: Iterable[int], *, waits: bool = True
) -> dict[int, HeldKey]:
    """Returns the keys that wrap, by organisation. One query at most for those that exist.

    Leaves out those that were destroyed or cannot be unwrapped now. Without `waits`, also
    those that a KMS would have to unwrap, which may take seconds.
    """
    found: dict[int, HeldKey] = {}
    missing = set()
    for organisation_id in set(organisation_ids):
        entry = _current.get(organisation_id)
        if entry is None:
            missing.add(organisation_id)
        else:
            found[organisation_id] = entry.key
    if missing:
        found |= _look_up(missing, waits=waits)
    return found


def _look_up(organisation_ids: Collection[int], *, waits: bool) -> dict[int, HeldKey]:
    found = {}
    rows = _newest(organisation_ids)
    for organisation_id in organisation_ids:
        row = rows.get(organisation_id)
        if not waits and not _is_ready(row):
            continue
        try:
            if row is None:
                row = create(organisation_id, version=1)
            secret = unwrap(row)
        except (MasterKeyUnavailableError, NoKeyError) as error:
            log.error("no key for organisation %d: %s", organisation_id, error)
            continue
        _hold(_current, organisation_id, row, secret, CURRENT_SECONDS)
        found[organisation_id] = HeldKey(row.pk, secret)
    return found


def _newest(organisation_ids: Collection[int]) -> dict[int, OrganisationKey]:
    rows = OrganisationKey.objects.filter(organisation_id__in=organisation_ids)
    return {row.organisation_id: row for row in rows.order_by("version")}


def _is_ready(row: OrganisationKey | None) -> bool:
    if row is None:
        return master_keys.current().is_local
    if _held(row.pk, bytes(row.wrapped)):
        return True
    try:
        return master_keys.by_id(row.master).is_local
    except MasterKeyUnavailableError:
        return False


def create(organisation_id: int, *, version: int) -> OrganisationKey:
    """Makes a version of an organisation's key, unless another process just did.

    Raises MasterKeyUnavailableError.
    """
    master = master_keys.current()
    row = OrganisationKey(
        organisation_id=organisation_id, version=version, master=master.id
    )
    row.wrapped = master.wrap(stream.new_key(), row.context)
    OrganisationKey.objects.bulk_create([row], ignore_conflicts=True)
    return OrganisationKey.objects.get(organisation_id=organisation_id, version=version)


def _hold(
    memory: _Memory, number: int, row: OrganisationKey, secret: bytes, seconds: float
) -> None:
    entry = _Entry(
        HeldKey(row.pk, secret), bytes(row.wrapped), time.monotonic() + seconds
    )
    # After the commit: a row that is rolled back leaves its number to another key.
    transaction.on_commit(partial(memory.put, number, entry))
