"""Tries a file of people: who would be added, and what is wrong, without changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.registry.addresses.allocation import parse_address, taken_among
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from portal.organisation.people_file.csv_reader import Row

LENGTHS = {
    "name": 150,
    "job_title": 150,
    "phone": 40,
    "town": 100,
    "everyday_address": 254,
}
LABELS = {
    "name": "name",
    "job_title": "job title",
    "phone": "phone number",
    "town": "town",
    "everyday_address": "everyday address",
}
YES, NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0", "")


@dataclass(slots=True)
class Trial:
    """The people to add, how many exist already, and faults as (line, sentence)."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    known_count: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


def try_rows(organisation: Organisation, rows: list[Row]) -> Trial:
    """Checks every row as adding it would, and changes nothing."""
    trial, wanted = Trial(), dict[str, tuple[int, dict[str, Any]]]()
    domains = _OwnDomains(organisation)
    for row in rows:
        try:
            fields = _checked(row, domains)
            if fields["address"] in wanted:
                raise PolicyError(f"{fields['address']} is in the file twice.")
            wanted[fields["address"]] = (row.line, fields)
        except PolicyError as fault:
            trial.faults.append((row.line, str(fault)))
    _sort_by_existence(organisation, trial, wanted)
    trial.faults.sort()
    return trial


def _sort_by_existence(
    organisation: Organisation, trial: Trial, wanted: dict[str, tuple[int, Any]]
) -> None:
    """Finds existing people and taken addresses, for all rows in two queries."""
    there = set(
        Person.objects.filter(
            organisation=organisation, address__in=list(wanted)
        ).values_list("address", flat=True)
    )
    taken = taken_among(list(wanted))
    for key, (line, fields) in wanted.items():
        if key in there:
            trial.known_count += 1
        elif key in taken:
            sentence = f"{key} is already in use. Choose another address."
            trial.faults.append((line, sentence))
        else:
            trial.rows.append(fields)


class _OwnDomains:
    """The organisation's verified domains, read once."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        rows = organisation.domains.verified().order_by("pk")
        self.pairs = dict(rows.values_list("member_domain", "community_domain"))

    def key(self, text: str) -> str:
        """Returns the key of an own address; a bare local part is at the first domain."""
        first = next(iter(self.pairs.values()), "")
        address = parse_address(text if "@" in text else f"{text}@{first}")
        if address.domain in self.pairs:
            address = address.at(self.pairs[address.domain])
        if address.domain not in self.pairs.values():
            raise PolicyError(f"{address} is not in a domain of {self.organisation}.")
        return address.key


def _checked(row: Row, domains: _OwnDomains) -> dict[str, Any]:
    cells = dict(row.cells)
    address = cells.pop("address", "")
    hidden = _is_yes(cells.pop("is_ex_directory", ""))
    if not address:
        raise PolicyError("Enter the secure address.")
    if not cells.get("name"):
        raise PolicyError("Enter the name.")
    for name, text in cells.items():
        if len(text) > LENGTHS[name]:
            raise PolicyError(f"The {LABELS[name]} is too long.")
    if cells.get("everyday_address"):
        parse_address(cells["everyday_address"])
    return {**cells, "is_ex_directory": hidden, "address": domains.key(address)}


def _is_yes(text: str) -> bool:
    if text.casefold() not in YES + NO:
        raise PolicyError("Write yes or no under “Ex-directory”.")
    return text.casefold() in YES
