from __future__ import annotations

import pytest

from engine.antivirus.attachments import magic
from tests.engine.antivirus import specimens


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (specimens.program(), "exe"),
        (b"\x7fELF\x02\x01\x01" + bytes(9), "elf"),
        (b"\xcf\xfa\xed\xfe" + bytes(9), "elf"),
        (b"\xca\xfe\xba\xbe" + bytes(9), "class"),
        (b"#!/bin/sh\necho hello\n", "sh"),
        (b"\xef\xbb\xbf#! /usr/bin/env python3\n", "sh"),
        (b"\x4c\0\0\0\x01\x14\x02\0" + bytes(9), "lnk"),
        (b"ITSF\x03\0\0\0", "chm"),
        (b"MSCF\0\0\0\0" + bytes(9), "cab"),
        (bytes(0x8001) + b"CD001" + bytes(9), "iso"),
        (bytes(0x8001) + b"BEA01" + bytes(9), "iso"),
        (b"conectix" + bytes(504), "vhd"),
        (bytes(1024) + b"conectix" + bytes(504), "vhd"),
        (b"vhdxfile" + bytes(9), "vhdx"),
        (bytes(1024) + b"koly\0\0\0\x04" + bytes(504), "dmg"),
        (bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(9), "one"),
        (specimens.compound("0c1084"), "msi"),
        (b"\0\x01\0\0Standard Jet DB\0", "mdb"),
        (b"!<arch>\n" + bytes(9), "lib"),
        (b"070701" + bytes(9), "cpio"),
        (b"\x28\xb5\x2f\xfd" + bytes(9), "zst"),
        (b"\x04\x22\x4d\x18" + bytes(9), "lz4"),
        (b"LZIP\x01" + bytes(9), "lz"),
        (b"\x1f\x9d\x90" + bytes(9), "z"),
        (b"AA01" + bytes(9), "aar"),
        (b"SIT!" + bytes(9), "sit"),
        (b"Cr24\x03\0\0\0" + bytes(9), "crx"),
        (b"xar!\0\x1c\0\x01" + bytes(9), "pkg"),
        (b"ALZ\x01" + bytes(9), "alz"),
        (b"EGGA" + bytes(9), "egg"),
        (bytes(7) + b"**ACE**" + bytes(9), "ace"),
        (b"\x21\x0b-lh5-" + bytes(9), "lzh"),
        (b"\x60\xea\x2a\0\x22" + bytes(9), "arj"),
        (b"ZOO 2.10 Archive.\x1a\0\0\xdc\xa7\xc4\xfd", "zoo"),
        (b"[InternetShortcut]\r\nURL=https://example.org/\r\n", "url"),
        ("[InternetShortcut]\r\n".encode("utf-16"), "url"),
        (b"Windows Registry Editor Version 5.00\r\n", "reg"),
        (
            b'<?xml version="1.0"?>\r\n<searchConnectorDescription>',
            "searchconnector-ms",
        ),
        (b"<?xml version='1.0'?><PCSettings>", "settingcontent-ms"),
        (b"WEB\r\n1\r\nhttps://example.org/\r\n", "iqy"),
        (b"<html><hta:application>", "hta"),
        (b"\n <!DOCTYPE html><p>Hello", "html"),
        (b"<?xml version='1.0'?><!-- a drawing --><svg xmlns=''>", "svg"),
    ],
)
def test_what_a_file_is(data: bytes, kind: str) -> None:
    found = magic.recognise(data, size=len(data))

    assert found is not None
    assert found.kinds[0] == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7\n",
        b"MZ Solicitors LLP\nDear Sirs, we act for the defendant in this matter. Hello",
        b"ID;Price;Quantity\n1;2;3\n",
        b"WEB pages\n1\n",
        b"From: alice@firm.example\r\n\r\n<html>",
        specimens.compound("020906"),
        b"PK\x03\x04" + bytes(99),
        "Annwyl Siân, #!/bin/sh".encode(),
        b"a,b\n#!/bin/sh,c\n",
        b"070 701 4 is my number",
        b"070707 12345 is my number\r\n",
        b"070701,Northgate,14\r\n",
        b"AA01 is attached, with the accounts.\r\n",
        b"Cr24 is the court room.\r\n",
        b"EGGAR and others v the Crown\r\n",
        b"ITSF, the inspectorate, writes:\r\n",
        b"SIT! was all that he heard.\r\n",
        b"StuffIt was the program.\r\n",
        b"xar! is what it said.\r\n",
        b"Exhibit**ACE**\r\n",
        b"It-lh5-and more of the record of the hearing.\r\n",
        b"\x60\xea\xff\xff\x22" + bytes(9),
        b"\x1f\x9d\0" + bytes(9),
    ],
)
def test_a_document(data: bytes) -> None:
    assert magic.recognise(data, size=len(data)) is None


def test_the_end_of_a_start_is_no_end() -> None:
    assert magic.recognise(bytes(1024) + b"conectix" + bytes(504), size=0) is None
