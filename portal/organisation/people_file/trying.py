"""What adding the people of a file would do, said before anything is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.mail.address import Address
from engine.registry.addresses import claimed, in_community, parsed
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from portal.organisation.people_file.reading import Row

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
    """Whom to add, how many are there already, and what is wrong on which line."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    known_count: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


def try_rows(organisation: Organisation, rows: list[Row]) -> Trial:
    """Check every row as adding it would, and change nothing."""
    trial, seen = Trial(), set[str]()
    domain = organisation.domains.values_list("community_domain", flat=True).first()
    for row in rows:
        try:
            fields = _checked(row, domain or "")
            if fields["address"] in seen:
                raise PolicyError(f"{fields['address']} is in the file twice.")
            seen.add(fields["address"])
            if is_there(organisation, fields["address"]):
                trial.known_count += 1
            else:
                claimed(organisation, fields["address"])
                trial.rows.append(fields)
        except PolicyError as fault:
            trial.faults.append((row.line, str(fault)))
    return trial


def is_there(organisation: Organisation, key: str) -> bool:
    """True where the organisation has a person with the address already."""
    return Person.objects.filter(organisation=organisation, address=key).exists()


def _checked(row: Row, domain: str) -> dict[str, Any]:
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
        parsed(cells["everyday_address"])
    return {**cells, "is_ex_directory": hidden, "address": _key(address, domain)}


def _is_yes(text: str) -> bool:
    if text.casefold() not in YES + NO:
        raise PolicyError("Write yes or no under “Ex-directory”.")
    return text.casefold() in YES


def _key(text: str, domain: str) -> str:
    """The key of an address; a name alone is one at the organisation's own domain."""
    whole: Address = in_community(text if "@" in text else f"{text}@{domain}")
    return whole.key
