"""MTA-STS (RFC 8461): the record that announces a domain's policy, and the policy itself.

Both are written by strangers, and are read strictly: what is not in the grammar is no
policy. Nothing here looks anything up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# RFC 8461 §3.3 asks for a limit, and names this one.
MAX_OCTETS = 64 * 1024
# §3.2: a year, or the policy's own number where that is lower.
LONGEST_SECONDS = 31_557_600
# A domain has a handful of exchangers. A longer list is no policy.
MAX_HOSTS = 100

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([!-:<>-~]+)")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+{_LABEL}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_BLANKS = " \t"


class StsError(Exception):
    """What was published is no policy. The message says why."""


class Mode(StrEnum):
    """What is done with a host that does not satisfy the policy (§5)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy. `hosts` are names, or patterns that begin with `*.`, in lower case."""

    mode: Mode
    max_age: int
    hosts: tuple[str, ...]

    @classmethod
    def parse(cls, octets: bytes) -> StsPolicy:
        """Parses the policy as it is served (§3.2). Raises StsError."""
        fields = _fields(octets)
        if fields.get("version", [""])[0] != "STSv1":
            raise StsError("Its version is not STSv1.")
        try:
            mode = Mode(fields.get("mode", [""])[0])
        except ValueError as error:
            raise StsError("It has no mode that is known.") from error
        age = fields.get("max_age", [""])[0]
        if not re.fullmatch(r"[0-9]{1,10}", age):
            raise StsError("Its max_age is no number of seconds.")
        hosts = [host.lower().rstrip(".") for host in fields.get("mx", [])]
        if len(hosts) > MAX_HOSTS or not all(map(_is_pattern, hosts)):
            raise StsError("One of its mx lines is no name of a host.")
        if not hosts and mode is not Mode.NONE:
            raise StsError("It names no host.")
        return cls(mode, min(int(age), LONGEST_SECONDS), tuple(dict.fromkeys(hosts)))

    def lists(self, host: str) -> bool:
        """Returns whether it lists the host; `*` stands for one whole label (§4.1)."""
        name = host.lower().rstrip(".")
        return name in self.hosts or f"*.{name.partition('.')[2]}" in self.hosts

    def __str__(self) -> str:
        lines = ["version: STSv1", f"mode: {self.mode}"]
        lines += [f"mx: {host}" for host in self.hosts]
        return "\n".join([*lines, f"max_age: {self.max_age}", ""])


def policy_id(records: list[str]) -> str:
    """Returns the id in the domain's TXT records, nothing where it announces no policy.

    Two records that announce one are none (§3.1).
    """
    found = [record for record in records if record.startswith("v=STSv1")]
    if len(found) != 1:
        return ""
    version, *rest = (part.strip(_BLANKS) for part in found[0].split(";"))
    if version != "v=STSv1":
        return ""
    if rest and not rest[-1]:
        rest.pop()
    fields = [_FIELD.fullmatch(part) for part in rest]
    ids = [field[2] for field in fields if field is not None and field[1] == "id"]
    if None in fields or len(ids) != 1 or not _ID.fullmatch(ids[0]):
        return ""
    return ids[0]


def _fields(octets: bytes) -> dict[str, list[str]]:
    """Returns the values of each key; all but `mx` count once, the first time (§3.2)."""
    if len(octets) > MAX_OCTETS:
        raise StsError("It is too long.")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StsError("It is no text.") from error
    found: dict[str, list[str]] = {}
    for line in re.split(r"\r?\n", text):
        if not line.strip(_BLANKS):
            continue
        # Not by one pattern: blanks in the middle would be tried again and again.
        key, colon, value = line.partition(":")
        if not colon or not _KEY.fullmatch(key.rstrip(_BLANKS)):
            raise StsError("One of its lines is no key with a value.")
        found.setdefault(key.rstrip(_BLANKS), []).append(value.strip(_BLANKS))
    return found


def _is_pattern(host: str) -> bool:
    return len(host) <= 253 and _HOST.fullmatch(host) is not None
