"""Messages with the EICAR test file in each kind of archive, to test a scanner with.

The file is harmless, and known to every scanner. It is in two halves here, so that scanners
do not report this module. No message has it in plain text: only a scanner that opens the
attachment finds it.
"""

from __future__ import annotations

import base64
import gzip
import io
import lzma
import tarfile
import zipfile
from email.message import EmailMessage
from functools import cache

_FIRST = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-"
_SECOND = rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

# Made by 7-Zip 26.02 (LZMA) and RAR 7.01 (RAR 5, best compression), because no dependency
# writes these formats. The test file is followed by 60 spaces, which its authors allow:
# otherwise RAR would store it uncompressed.
_SEVEN_ZIP = (
    "N3q8ryccAARZ6pBLSwAAAAAAAABOAAAAAAAAACUBx9gALA1F4iNLOAn+JCxbSzaQMdxLJDW2Mt+vMUw83886"
    "S3Vz5YvIfomzgF73lB+NqcMe+klsBfyEBVpx/Dm6kmWLl0On3N2zlpQcAAABBAYAAQlLAAcLAQABIwMBAQVd"
    "ABAAAAyAgAAICgFW0sjCAAAFARkFAAAAAAAREwB0AGUAcwB0AC4AdAB4AHQAAAAZABUGAQAggKSBAAA="
)
_RAR = (
    "UmFyIRoHAQAzkrXlCgEFBgAFAQGAgABmXSSIJgIDC9IABIABpIMCVtLIwoAFAQh0ZXN0LnR4dAoDE1eVC2sI"
    "iFEUwNVPIEBCL3UFTisgwXgb9qX7IrDoRWi7QlRcTu+7we4bgYYGdoq3dRW5uLtnhdVay4vb8nvR+XEXumFD"
    "dtBLAEhjyM+KAcU4Gg6xUuWMsLPyAB13VlEDBQQA"
)
# Made by 7-Zip, too: a line of text, with a password.
_ENCRYPTED_ZIP = (
    "UEsDBBQAAQAAAAAAIQCdXF0QHAAAABAAAAAIAAAAcmVhZC50eHS9l0SmTTElAYUWD3CHPKlkLd5/YUE5JGbrSdDL"
    "UEsBAj8DFAABAAAAAAAhAJ1cXRAcAAAAEAAAAAgAAAAAAAAAAAAggKSBAAAAAHJlYWQudHh0UEsFBgAAAAABAAEA"
    "NgAAAEIAAAAAAA=="
)
# A scanner that stops at a file with a password does not find a virus beside it.
BESIDE_ENCRYPTED = "file beside an encrypted one"


@cache
def messages() -> dict[str, bytes]:
    """Returns one message for each kind, by the kind's name."""
    files = {
        "attachment": standard_file(),
        "zip": _zipped({"inner.zip": _zipped({"test.txt": standard_file()})}),
        "7z": base64.b64decode(_SEVEN_ZIP),
        "rar": base64.b64decode(_RAR),
        "tar.gz": gzip.compress(_tarred(), mtime=0),
        "tar.xz": lzma.compress(_tarred()),
        "docm": _zipped(
            {
                "[Content_Types].xml": b"<Types/>",
                "word/document.xml": b"<w:document/>",
                "word/vbaProject.bin": standard_file(),
            }
        ),
    }
    made = {kind: _octets(_with_file(data)) for kind, data in files.items()}
    outer = _headed()
    outer.add_attachment(_with_file(standard_file()))
    beside = _with_file(base64.b64decode(_ENCRYPTED_ZIP))
    _attach(beside, standard_file())
    return {**made, "message": _octets(outer), BESIDE_ENCRYPTED: _octets(beside)}


def standard_file() -> bytes:
    """Returns the EICAR test file."""
    return _FIRST + _SECOND


def _with_file(data: bytes) -> EmailMessage:
    made = _headed()
    _attach(made, data)
    return made


def _attach(made: EmailMessage, data: bytes) -> None:
    made.add_attachment(
        data, maintype="application", subtype="octet-stream", filename="test.bin"
    )


def _headed() -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "Does the scanner open this?"
    made.set_content("The attachment holds the standard test file.")
    return made


def _octets(message: EmailMessage) -> bytes:
    return message.as_bytes().replace(b"\n", b"\r\n")


def _zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("test.txt")
        entry.size = len(standard_file())
        archive.addfile(entry, io.BytesIO(standard_file()))
    return file.getvalue()
