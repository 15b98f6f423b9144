"""The checkpoints that a chain is compared with, of the table and of files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from engine.audit.checkpoints import signing_keys, statements, time_stamps
from engine.audit.checkpoints.statements import Statement, StatementError
from engine.audit.models import Checkpoint
from engine.database import clock

# A key that has signed nothing for so long is missed. It signs within minutes.
GRACE = timedelta(hours=3)


@dataclass(slots=True)
class Mark:
    """A checkpoint with a valid signature, and where it was found.

    `is_doubtful` says that others may have the key, and nothing but the database says that
    the checkpoint is from before.
    """

    statement: Statement
    is_doubtful: bool = False
    in_table: bool = False
    files: list[str] = field(default_factory=list)

    @property
    def length(self) -> int:
        """How many entries the checkpoint proves."""
        return self.statement.length

    @property
    def at(self) -> datetime:
        """When the checkpoint was signed."""
        return self.statement.at

    def __str__(self) -> str:
        where = "" if self.in_table else f" in {self.files[0]}"
        return f"the checkpoint of {self.at:%-d %B %Y, %H:%M} UTC{where}"


class Marks:
    """Checkpoints by what a chain is compared with, and the faults of those that are none."""

    def __init__(
        self, files: Iterable[str], keys: Mapping[str, Ed25519PublicKey]
    ) -> None:
        """Reads the table, and files of lines. Raises OSError.

        `keys` are the public keys that are trusted, by name; without any, those in the
        database.
        """
        self.faults: list[str] = []
        self.is_outside = False
        self._keys = dict(keys) or signing_keys.known()
        self._compromised = signing_keys.compromised()
        self._successors = signing_keys.after_compromise()
        self._by_id: dict[str, Mark] = {}
        self._signed_by: set[str] = set()
        self._read_table()
        for path in files:
            self._read_file(path)
        self.by_digest: dict[str, Mark] = {}
        self.by_length: dict[int, list[Mark]] = defaultdict(list)
        for mark in self:
            mark.is_doubtful = self._is_doubtful(mark)
            if mark.is_doubtful:
                continue
            self.by_digest[mark.statement.digest] = mark
            self.by_length[mark.length].append(mark)

    def __iter__(self) -> Iterator[Mark]:
        return iter(self._by_id.values())

    def unused_keys(self) -> Iterator[str]:
        """Yields the keys in the database that signed no checkpoint of the table.

        A key signs within minutes after it was made: the checkpoints were removed.
        """
        until = clock.now()
        if not self._compromised:
            until -= GRACE
        for key in signing_keys.all_keys().filter(made_at__lte=until):
            if key.key_id not in self._signed_by:
                yield key.key_id

    def _is_doubtful(self, mark: Mark) -> bool:
        reported = self._compromised.get(mark.statement.key)
        if reported is None or (mark.files and mark.at <= reported):
            return False
        stamped = time_stamps.proved_time(mark.statement)
        return stamped is None or stamped > reported

    def _read_table(self) -> None:
        for row in Checkpoint.objects.order_by("pk").iterator(chunk_size=1_000):
            try:
                found = statements.parse(row.statement, row.signature, row.time_stamp)
            except StatementError:
                self.faults.append(f"Checkpoint {row.pk} of the table was changed.")
                continue
            self._signed_by.add(found.key)
            said = (found.at, found.length, found.digest)
            if said != (row.at, row.length, row.digest):
                self.faults.append(f"Checkpoint {row.pk} of the table was changed.")
            elif mark := self._verified(found, f"Checkpoint {row.pk} of the table"):
                mark.in_table = True

    def _read_file(self, path: str) -> None:
        name, is_replaced = Path(path).name, False
        for number, line in statements.lines_of(path):
            try:
                found = statements.from_line(line)
            except StatementError:
                self.faults.append(f"Line {number} of {name} is no checkpoint.")
                continue
            where = f"The checkpoint in line {number} of {name}"
            if found.key in self._compromised and is_replaced:
                # The file is only appended to. So its order shows what a thief of the key
                # has added, whatever date it has.
                self.faults.append(
                    f"{where} is signed with a key that was replaced before it."
                )
            elif mark := self._verified(found, where):
                mark.files.append(name)
                self.is_outside = True
                is_replaced |= found.key in self._successors

    def _verified(self, found: Statement, where: str) -> Mark | None:
        key = self._keys.get(found.key)
        if key is None:
            self.faults.append(
                f"{where} is signed with a key that is not known here, {found.key}."
            )
            return None
        if not signing_keys.is_signed(key, found.text.encode(), found.signature):
            self.faults.append(f"{where} has a signature that is not ours.")
            return None
        return self._by_id.setdefault(found.id, Mark(found))
