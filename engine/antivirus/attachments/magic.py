"""Recognises refused kinds of file by their octets, whatever the file is called.

A table of our own instead of libmagic: about forty signatures decide, each with a test, and
libmagic's guesses about text would refuse letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Octets at the start that are inspected: ISO 9660's descriptor is the furthest.
HEAD = 40 * 1024
END = 512
_TEXT_HEAD = 1024

# All kinds whose files start alike; a community may let one of them travel by its name.
_PROGRAM = "exe com cpl dll drv ocx scr sys vxd xll"
_UNIX_PROGRAM = "elf class app appimage lib run"

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", _UNIX_PROGRAM),
    (b"\xca\xfe\xba\xbe", "class app"),  # Java, and Mach-O for several processors
    (b"\xfe\xed\xfa\xce", _UNIX_PROGRAM),  # Mach-O
    (b"\xfe\xed\xfa\xcf", _UNIX_PROGRAM),
    (b"\xce\xfa\xed\xfe", _UNIX_PROGRAM),
    (b"\xcf\xfa\xed\xfe", _UNIX_PROGRAM),
    (b"dex\n03", "apk"),
    (b"#@~^", "vbe jse"),
    (b"\x4c\0\0\0\x01\x14\x02\0", "lnk"),  # [MS-SHLLINK] 2.1
    (b"?_\x03\0", "hlp"),
    (b"MSCF\0\0\0\0", "cab diagcab msu"),
    (b"MSWIM\0\0\0", "wim esd ppkg"),
    (b"# Disk DescriptorFile", "vmdk"),
    (b"QFI\xfb", "qcow2"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "one"),
    (b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", "onetoc2"),
    (b"\0\x01\0\0Standard Jet DB", "mdb mda mde mdt mdw mdz ade"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"!<arch>\ndebian", "deb"),
    (b"!<arch>\n", "lib ar"),
    (b"\x28\xb5\x2f\xfd", "zst tzst"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LZIP\x01", "lz tlz"),
    (b"pbze\0", "aar"),
    (b"ALZ\x01", "alz"),
)
_ANY_START = tuple(start for start, _ in _STARTS)
# Text may start with these, too, such as with the name of a form. A file of these kinds has
# a zero octet in its header, in a size, a version or after a name; text has none.
_WORDS: tuple[tuple[bytes, str], ...] = (
    (b"ITSF", "chm"),
    (b"ISc(", "cab"),
    (b"conectix", "vhd"),
    (b"vhdxfile", "vhdx"),
    (b"KDMV", "vmdk"),
    (b"!BDN", "pst"),
    (b"xar!", "pkg mpkg xip"),
    (b"Cr24", "crx"),
    (b"070701", "cpio pax cpgz"),
    (b"070702", "cpio pax cpgz"),
    (b"070707", "cpio pax cpgz"),
    (b"AA01", "aar"),
    (b"SIT!", "sit sitx"),
    (b"StuffIt", "sit sitx"),
    (b"EGGA", "egg"),
)
_HEADER = 512
# [MS-CFB] 2.2 and 2.6: the class in the root entry, by its first four octets.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CLASSES = {0x000C1084: "msi", 0x000C1086: "msp", 0x000C1082: "mst"}
_REST_OF_CLASS = bytes.fromhex("00000000c000000000000046")

_LZH = re.compile(rb"..-l[hz][0-9ds]-", re.DOTALL)
_COMPRESS = re.compile(rb"\x1f[\x9d\xa0][\x09-\x10\x89-\x90]")
# ARJ: the size of its first header, at most 2,600 octets, at least 30 of them fixed
_ARJ = re.compile(rb"\x60\xea(?:[\x1e-\xff]\0|.[\1-\x0a])[\x1e-\x40]", re.DOTALL)

# The start of text that some program runs or follows. The name decides which program runs
# it, so these are for files whose name hides what they are.
_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kinds)
    for pattern, kinds in (
        (r"#! ?/", "sh bash csh ksh zsh pl py run command tool"),
        (r"\[InternetShortcut\]", "url website"),
        (r"\[Desktop Entry\]", "desktop"),
        (r"Windows Registry Editor Version|REGEDIT4", "reg"),
        (r"\[oledb\]", "udl"),
        (r"WEB\s+1\s+https?:", "iqy"),
        (r"ID;P(?:WXL|CALCOOO\d*|SYLK)?(?:;[NE])*\r?\n", "slk"),
        (r"<searchConnectorDescription\b", "searchconnector-ms"),
        (r"<libraryDescription\b", "library-ms"),
        (r"<persistedQuery\b", "search-ms"),
        (r"<PCSettings\b", "settingcontent-ms"),
        (r"<MMC_ConsoleFile\b", "msc"),
        (r"<jnlp\b", "jnlp"),
        (r"<scriptlet\b", "sct wsc"),
        (r"<svg\b", "svg"),
        (r"<(?:!doctype html|html|head|body|script)\b", "html htm xhtml xht shtml"),
    )
)
_HTA = re.compile(r"<hta:application\b", re.IGNORECASE)
# No possessive group: before Python 3.11.4, one that fails halfway does not backtrack.
_PROLOGUE = re.compile(
    r"\s*(?:<\?[^>]*>\s*|<!--.*?-->\s*|<!doctype svg[^>]*>\s*)*",
    re.IGNORECASE | re.DOTALL,
)


_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,70}:")
_MIME = re.compile(rb"^(?:content-type|mime-version):", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """The kinds that a file may be, the likeliest first."""

    kinds: tuple[str, ...]
    is_text: bool = False


def is_message(data: bytes) -> bool:
    """Returns whether the octets look like a message with parts, such as an .eml file."""
    return begins_with_field(data) and bool(_MIME.search(data[:HEAD]))


def begins_with_field(data: bytes) -> bool:
    """Returns whether the octets start with a header field, as a message does."""
    return bool(_FIELD.match(data))


def recognise(
    data: bytes, *, size: int | None = None, end: bytes = b""
) -> Finding | None:
    """Recognises a file by its first HEAD octets, and its last 512 if available.

    `size` is that of the whole file if `data` is only its start; `end` are its last
    octets. Returns None for a kind that is not in the table.
    """
    kinds = _binary(data)
    if not kinds and (end or size is None or size == len(data)):
        kinds = _by_end(end or data)
    if kinds:
        return Finding(tuple(kinds.split()))
    text = _text(data)
    return Finding(tuple(text.split()), is_text=True) if text else None


def _binary(data: bytes) -> str:
    # Almost no file does: one look instead of one for each.
    if data.startswith(_ANY_START):
        return next(kinds for start, kinds in _STARTS if data.startswith(start))
    # Text may start with MZ; a program has zeros in its header (DOS, 28 octets).
    if data[:2] in (b"MZ", b"ZM") and b"\0" in data[:64]:
        return _PROGRAM
    if b"\0" in data[:_HEADER] and (kinds := _by_words(data)):
        return kinds
    if data.startswith(_COMPOUND):
        return _of_compound(data)
    if data[0x40:0x44] == b"\x7f\x10\xda\xbe":
        return "vdi"
    if data[20:24] == b"\xdc\xa7\xc4\xfd":
        return "zoo"
    if _COMPRESS.match(data):
        return "z taz tz"
    if _ARJ.match(data):
        return "arj"
    if data[0x8001:0x8006] in (b"CD001", b"BEA01", b"NSR02", b"NSR03"):
        return "iso img udf"
    return ""


def _by_words(data: bytes) -> str:
    """Matches signatures of letters and digits, in a header that is not text."""
    for start, kinds in _WORDS:
        if data.startswith(start):
            return kinds
    if data[7:14] == b"**ACE**":
        return "ace"
    return "lzh lha" if _LZH.match(data) else ""


def _by_end(data: bytes) -> str:
    """Matches disk images, whose signature is in their last block."""
    end = data[-END:]
    if end.startswith(b"koly\0\0\0\x04"):
        return "dmg"
    return "vhd" if end.startswith(b"conectix") else ""


def _of_compound(data: bytes) -> str:
    """Matches an installer's package; office documents are compound files, too."""
    shift = int.from_bytes(data[0x1E:0x20], "little")
    sector = int.from_bytes(data[0x30:0x34], "little")
    if shift not in (9, 12):
        return ""
    root = (sector + 1) << shift
    found = data[root + 80 : root + 96]
    if found[4:] != _REST_OF_CLASS:
        return ""
    return _CLASSES.get(int.from_bytes(found[:4], "little"), "")


def _text(data: bytes) -> str:
    head = _decoded(data[:_TEXT_HEAD])
    if "<" in head and _HTA.search(head):
        return "hta"
    prologue = _PROLOGUE.match(head)
    start = prologue.end() if prologue else 0
    for pattern, kinds in _TEXTS:
        if pattern.match(head, start):
            return kinds
    return ""


def _decoded(head: bytes) -> str:
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(name, "replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
