"""Generated display names: some impersonate another sender, some are merely odd."""

from __future__ import annotations

import random
from base64 import b64encode
from dataclasses import dataclass

from tests.security.unicode_data import DISGUISES, direction_controls, invisible, marks

SEED = 20261128
DECEITS = (
    "alice@northfield.secure.example",
    "Alice Gray <alice@northfield.secure.example>",
    "jane@firm.example.secure.example",
    "helpdesk@secure.example",
    "Postern Support",
    "Postern Helpdesk",
    "Helpdesk",
    "Postmaster",
    "The Postern Team",
    "Postern",
)
# Each could spoil the layout of a list, but impersonates no one.
ODDITIES = (
    "Bob Hale",
    "Alice Gray",
    "Zoë Müller-Østergård",
    "Nguyễn Thị Ánh",
    "Анна Ковалёва",
    "Αλέξανδρος Παπαδόπουλος",
    "עדנה כהן",
    "فاطمه زهرا نژاد",
    "山田花子",
    "अनुष्का शर्मा",
    "Northfield Helpdesk",
    "Reception @ Harbour",
    "J. Smith @ St. Mary's",
    "O'Neill, Jr. (Clerk)",
    "W" * 150,
    "x " * 70,
)


@dataclass(frozen=True)
class Named:
    """A display name, its form in a header, and whether it impersonates."""

    name: str
    written: str
    is_deceit: bool
    disguise: str


def generated(count: int = 300) -> list[Named]:
    """Returns the same names each time: two in three impersonate."""
    chance = random.Random(SEED)
    found = []
    while len(found) < count:
        if len(found) % 3 == 2:
            name, disguise = _odd(chance), "odd"
        else:
            disguise = chance.choice(sorted(DISGUISES))
            name = DISGUISES[disguise](chance.choice(DECEITS), chance)
        written = chance.choice([_quoted, _in_base64, _in_quoted_printable])(name)
        found.append(Named(name, written, disguise != "odd", disguise))
    return found


def _odd(chance: random.Random) -> str:
    name = chance.choice(ODDITIES)
    match chance.randrange(4):
        case 0:
            return name
        case 1:
            return "".join(c + "".join(chance.choices(marks(), k=9)) for c in name[:40])
        case 2:
            return chance.choice(direction_controls()) + name
        case _:
            return "".join(c + chance.choice(invisible()) for c in name[:40])


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _in_base64(name: str) -> str:
    octets = name.encode()
    chunks = [octets[at : at + 45] for at in range(0, len(octets), 45)]
    return " ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in chunks)


def _in_quoted_printable(name: str) -> str:
    octets = name.encode()
    chunks = [octets[at : at + 20] for at in range(0, len(octets), 20)]
    coded = ("".join(f"={octet:02X}" for octet in chunk) for chunk in chunks)
    return " ".join(f"=?UTF-8?Q?{text}?=" for text in coded)
