from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.utils import timezone

from engine.audit.record import lock_chain
from engine.database import statements

Row = TypeVar("Row", bound=models.Model)


class ChangeKind(models.TextChoices):
    """What a changed row is; followers of the log read the row again by its id.

    OTHER names no row: no route has changed, but sign-ins must be checked again.
    """

    ORGANISATION = "organisation", "Organisation"
    DOMAIN = "domain", "Domain"
    CONNECTION = "connection", "Connection"
    PERSON = "person", "Person"
    MAILBOX = "mailbox", "Mailbox"
    GRANTS = "grants", "All grants of a person"
    ALIAS = "alias", "Alias"
    LIST = "list", "Distribution list with its members and posters"
    ALLOWANCE = "allowance", "Sending allowance"
    PROVIDER = "provider", "Networks of a cloud provider"
    OTHER = "other", "Sign-ins"


@dataclass(frozen=True, slots=True)
class Logged:
    """How changes of a model's rows are logged.

    `key` names the attribute whose value is logged: a grant logs its person, a list's
    member its list, because a row that was deleted cannot be asked any more.
    """

    kind: ChangeKind
    fields: frozenset[str]
    key: str = "pk"

    @classmethod
    def of(cls, kind: ChangeKind, *fields: str, key: str = "pk") -> Logged:
        """Returns how to log rows when one of the named fields is saved."""
        return cls(kind, frozenset(fields), key)

    def concerns(self, fields: Iterable[str] | None) -> bool:
        """Whether saving these fields changes what is logged; None means all fields."""
        if fields is None:
            return True
        # A foreign key may be named by its column too.
        names = {one for name in fields for one in (name, name.removesuffix("_id"))}
        return not self.fields.isdisjoint(names)


class ChangeQuerySet(models.QuerySet["Change"]):
    """The rows of the change log, and the only way to append to it."""

    @transaction.atomic(savepoint=False)
    def record(self, kind: ChangeKind, row_ids: Iterable[int]) -> None:
        """Logs that rows changed, in the caller's transaction.

        The end of the log stays locked until that transaction ends. Sequences therefore
        commit in their order, so that a reader who has seen one has seen all before it.
        """
        ids = sorted(set(row_ids))
        if not ids:
            return
        lock()
        _recorded.count = recorded() + len(ids)
        transaction.on_commit(committed.set)
        first = _allocate(len(ids)) - len(ids) + 1
        rows = [
            Change(sequence=first + at, kind=kind, row_id=row_id, mark=new_mark())
            for at, row_id in enumerate(ids)
        ]
        if len(rows) == 1:
            # As most are: compiling the statement would take longer than running it.
            statements.run(INSERT, _values_of(rows[0]))
        else:
            self.bulk_create(rows)


INSERT = (
    "INSERT INTO registry_change (sequence, kind, row_id, mark, at)"
    " VALUES (%s, %s, %s, %s, %s)"
)


def _values_of(row: Change) -> list[object]:
    at = connection.ops.adapt_datetimefield_value(row.at)
    return [row.sequence, str(row.kind), row.row_id, row.mark, at]


def new_mark() -> str:
    """Returns a random mark, which no other change has."""
    return secrets.token_hex(8)


_recorded = threading.local()

# Set when this process commits a change, for its own follower: a person who adds a list's
# member and writes to the list a moment later must not be refused by older routes.
committed = threading.Event()


def recorded() -> int:
    """Returns how many changes this thread has logged, committed or not."""
    return getattr(_recorded, "count", 0)


def lock() -> None:
    """Serialises writers of the registry until the caller's transaction ends.

    It is the audit chain's lock: a verb writes an audit entry anyway, and all writers
    taking one lock first is what keeps two of them from waiting for each other.
    """
    lock_chain()


def _allocate(count: int) -> int:
    """Takes the next `count` sequences, and returns the last of them."""
    with connection.cursor() as cursor:
        for _ in range(2):
            # One statement on PostgreSQL and on SQLite (from 3.35): Django 5.2 has no
            # RETURNING for updates, and every row that is saved comes by here.
            cursor.execute(
                "UPDATE registry_changelogend SET sequence = sequence + %s "
                "WHERE id = 1 RETURNING sequence",
                [count],
            )
            found = cursor.fetchone()
            if found is not None:
                return int(found[0])
            ChangeLogEnd.objects.get_or_create(pk=1)
    raise RuntimeError("The end of the change log cannot be written.")


class Change(models.Model):
    """One changed row of the registry. Sequences have no gaps.

    The mark is random: a follower that finds another mark at the sequence it applied
    last knows that history was replaced, as by a restored backup.
    """

    sequence = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=12, choices=ChangeKind.choices)
    row_id = models.BigIntegerField()
    mark = models.CharField(max_length=16)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.kind} {self.row_id}"


class ChangeLogEnd(models.Model):
    """The sequence of the last change: one row, locked by whatever transaction logs."""

    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.sequence)


class LoggedQuerySet(models.QuerySet[Row]):
    """Logs what is written to many rows at a time, which no signal is sent for."""

    def update(self, **values: Any) -> int:
        logged = logged_as(self.model)
        if not logged.concerns(values):
            return super().update(**values)
        with transaction.atomic(savepoint=False):
            # Before the rows: verbs lock in this order too.
            lock()
            name = "pk" if logged.key == "pk" else logged.key
            keys = list(self.order_by().values_list(name, flat=True))
            count = super().update(**values)
            Change.objects.record(logged.kind, keys)
        return count

    def bulk_create(self, objs: Iterable[Row], *args: Any, **kwargs: Any) -> list[Row]:
        logged = logged_as(self.model)
        with transaction.atomic(savepoint=False):
            lock()
            made = super().bulk_create(objs, *args, **kwargs)
            keys = [getattr(row, logged.key) for row in made]
            Change.objects.record(logged.kind, keys)
        return made


def logged_as(model: type[models.Model]) -> Logged:
    """How changes of a model's rows are logged, as the model itself says."""
    found: Logged = vars(model)["logged"]
    return found
