"""Persistent maps: a changed copy shares all but a few entries with the original.

And an index made of one: keys that several rows may claim, with an answer that does not
depend on the order of changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, overload

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Other = TypeVar("Other")
Row = TypeVar("Row")
# Of a key: the one row that claims it, or several, the lowest id first.
Claims = int | tuple[int, ...]

# Entries of a shard, on average, at most. A change copies one shard and the tuple of
# all shards: 20 to 40 microseconds together at half a million entries, measured.
ENTRIES = 128
# A map that outgrows its shards gets so many times as many.
GROWTH = 8


class Map(Mapping[Key, Value]):
    """An immutable mapping as a tuple of dictionaries, divided by the keys' hashes.

    README has the reason why it is not a library's.
    """

    __slots__ = ("_shards", "_size")

    def __init__(self) -> None:
        self._shards: tuple[dict[Key, Value], ...] = ({},)
        self._size = 0

    @classmethod
    def of(cls, rows: Mapping[Key, Value]) -> Map[Key, Value]:
        """A map of these entries, made in one pass: for a whole table."""
        count = 1
        while len(rows) > ENTRIES * count:
            count *= GROWTH
        shards: list[dict[Key, Value]] = [{} for _ in range(count)]
        mask = count - 1
        for key, value in rows.items():
            shards[hash(key) & mask][key] = value
        made: Map[Key, Value] = cls()
        made._shards, made._size = tuple(shards), len(rows)
        return made

    def changed(self, rows: Mapping[Key, Value | None]) -> Map[Key, Value]:
        """The map with these entries set; None takes one out."""
        if not self._size:
            return Map.of({k: v for k, v in rows.items() if v is not None})
        # The number of shards is a power of two, so that a mask picks one.
        mask, shards = len(self._shards) - 1, list(self._shards)
        own: set[int] = set()
        size = self._size
        for key, value in rows.items():
            at = hash(key) & mask
            # Copied once for each call. The original map keeps its own shards, which the
            # sessions that began with it still read.
            if at not in own:
                own.add(at)
                shards[at] = shards[at].copy()
            shard = shards[at]
            size -= len(shard)
            if value is None:
                shard.pop(key, None)
            else:
                shard[key] = value
            size += len(shard)
        made: Map[Key, Value] = Map()
        made._shards, made._size = tuple(shards), size
        return made if size <= ENTRIES * len(shards) else Map.of(made)

    def __repr__(self) -> str:
        return f"Map of {self._size}"

    def __getitem__(self, key: Key) -> Value:
        return self._shards[hash(key) & (len(self._shards) - 1)][key]

    @overload
    def get(self, key: Key, /) -> Value | None: ...
    @overload
    def get(self, key: Key, /, default: Value | Other) -> Value | Other: ...
    def get(self, key: Key, /, default: object = None) -> object:
        """As a dictionary's; the base class would raise and catch a KeyError."""
        return self._shards[hash(key) & (len(self._shards) - 1)].get(key, default)

    def __iter__(self) -> Iterator[Key]:
        for shard in self._shards:
            yield from shard

    def __len__(self) -> int:
        return self._size


@dataclass(frozen=True, slots=True)
class Index(Generic[Key]):
    """Which rows claim a key.

    The database keeps most keys unique, but a follower applies changes in slices: when
    an address moves from one row to another, both claim it for a moment.
    """

    claims: Map[Key, Claims] = field(default_factory=Map)

    def first(self, key: Key) -> int | None:
        """The oldest row that claims the key."""
        found = self.claims.get(key)
        return found[0] if isinstance(found, tuple) else found

    def only(self, key: Key) -> int | None:
        """The row that claims the key; None where several do."""
        found = self.claims.get(key)
        return None if isinstance(found, tuple) else found

    def every(self, key: Key) -> tuple[int, ...]:
        """All rows that claim the key, the oldest first."""
        found = self.claims.get(key)
        if found is None:
            return ()
        return found if isinstance(found, tuple) else (found,)

    def changed(
        self, less: Iterable[tuple[Key, int]], more: Iterable[tuple[Key, int]]
    ) -> Index[Key]:
        """The index without some claims and with others, each a key and a row's id."""
        if not self.claims:
            return Index(Map.of(_first_claims(more)))
        touched: dict[Key, set[int]] = {}
        # Given up before made: a row that changes but keeps its key keeps its claim.
        for key, row_id in less:
            self._ids(touched, key).discard(row_id)
        for key, row_id in more:
            self._ids(touched, key).add(row_id)
        if not touched:
            return self
        return Index(self.claims.changed({k: _claims(v) for k, v in touched.items()}))

    def _ids(self, touched: dict[Key, set[int]], key: Key) -> set[int]:
        if key not in touched:
            touched[key] = set(self.every(key))
        return touched[key]


def _first_claims(made: Iterable[tuple[Key, int]]) -> dict[Key, Claims]:
    """The claims of an index that has none yet, without a set for each key."""
    found: dict[Key, Claims] = {}
    for key, row_id in made:
        known = found.setdefault(key, row_id)
        if known != row_id:
            ids = known if isinstance(known, tuple) else (known,)
            found[key] = tuple(sorted({*ids, row_id}))
    return found


def _claims(ids: set[int]) -> Claims | None:
    if not ids:
        return None
    # Nearly every key has one claim. A tuple for each would take 48 octets more, half a
    # million times.
    return next(iter(ids)) if len(ids) == 1 else tuple(sorted(ids))


def moves(
    before: Map[int, Row],
    rows: Mapping[int, Row | None],
    keys_of: Callable[[Row], Iterable[Key]],
) -> tuple[list[tuple[Key, int]], list[tuple[Key, int]]]:
    """The claims that rows give up and make when they take the place of those before."""
    less: list[tuple[Key, int]] = []
    more: list[tuple[Key, int]] = []
    if not before:
        kept = ((row_id, row) for row_id, row in rows.items() if row is not None)
        return less, [(key, row_id) for row_id, row in kept for key in keys_of(row)]
    for row_id, row in rows.items():
        old = before.get(row_id)
        if old is not None:
            less += [(key, row_id) for key in keys_of(old)]
        if row is not None:
            more += [(key, row_id) for key in keys_of(row)]
    return less, more
