"""Which attachments may not travel, whatever a scanner says of them.

By name and declared type only: what hides behind a harmless name is the scanner's. A
community adds kinds to ours, or lets some of ours travel (POSTERN_ATTACHMENTS_*).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from django.conf import settings

from engine.mail.errors import PermanentFailure
from engine.mail.reply import FORBIDDEN_CONTENT

# What Windows, macOS and Linux desktops start on a double click.
REFUSED_EXTENSIONS = frozenset(
    [
        "ade",
        "adp",
        "app",
        "appx",
        "appxbundle",
        "bat",
        "chm",
        "cmd",
        "com",
        "cpl",
        "dll",
        "dmg",
        "exe",
        "gadget",
        "hta",
        "inf",
        "ins",
        "iso",
        "isp",
        "jar",
        "jnlp",
        "js",
        "jse",
        "lib",
        "lnk",
        "mde",
        "msc",
        "msi",
        "msix",
        "msp",
        "mst",
        "nsh",
        "pif",
        "ps1",
        "psm1",
        "reg",
        "scr",
        "sct",
        "shb",
        "sys",
        "vb",
        "vbe",
        "vbs",
        "vhd",
        "vxd",
        "wsc",
        "wsf",
        "wsh",
        "xll",
    ]
)
REFUSED_TYPES = frozenset(
    {
        "application/hta",
        "application/java-archive",
        "application/vnd.microsoft.portable-executable",
        "application/x-dosexec",
        "application/x-executable",
        "application/x-ms-shortcut",
        "application/x-msdos-program",
        "application/x-msdownload",
        "application/x-msi",
        "application/x-sh",
    }
)


class NamedPart(Protocol):
    """What the policy looks at: engine.mail.parts.Part has it."""

    @property
    def content_type(self) -> str: ...

    @property
    def filename(self) -> str: ...


def check_can_carry(parts: Iterable[NamedPart]) -> None:
    """Raises PermanentFailure with the sentence the sender reads."""
    for part in parts:
        kind = _refused_kind(part)
        if kind:
            raise PermanentFailure(
                FORBIDDEN_CONTENT.saying(
                    f"Attachments of the kind {kind} are not carried here: "
                    "remove it, or send it as a document"
                )
            )


def can_carry(parts: Iterable[NamedPart]) -> bool:
    try:
        check_can_carry(parts)
    except PermanentFailure:
        return False
    return True


def _refused_kind(part: NamedPart) -> str:
    # Windows drops dots and spaces at the end of a name, and reads none after a colon.
    name = part.filename.casefold().partition(":")[0].rstrip(". \t")
    extension = name.rpartition(".")[2] if "." in name else ""
    if extension and _is_refused(extension, REFUSED_EXTENSIONS):
        return f".{extension}"
    content_type = part.content_type.casefold()
    return content_type if _is_refused(content_type, REFUSED_TYPES) else ""


def _is_refused(kind: str, ours: frozenset[str]) -> bool:
    """Whether a kind may not travel here; `video/*` stands for every type of video."""
    names = {kind, f"{kind.partition('/')[0]}/*"} if "/" in kind else {kind}
    if not names.isdisjoint(settings.POSTERN.attachments_allowed):
        return False
    return kind in ours or not names.isdisjoint(settings.POSTERN.attachments_refused)
