"""What the programs are given to write: texts in many charsets, pictures and files."""

# ruff: noqa: RUF001 - letters of many scripts are what it is for

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

# Where only a few are written, one of how many.
FEW = 5

# A text for each charset that can hold it; every one has letters that others lack.
TEXTS = {
    "us-ascii": "The hearing is listed for Monday at ten in court three.",
    "iso-8859-1": "L'audience est fixée à Genève; la clé est à l'accueil, côté gauche.",
    "iso-8859-2": "Rozprawa odbędzie się w środę, łącznie ze świadkami i źródłami.",
    "iso-8859-7": "Η δίκη αρχίζει τη Δευτέρα στις δέκα, στην αίθουσα τρία.",
    "iso-8859-9": "Duruşma pazartesi günü, ışıklı salonda; Ğ ve İ ile yazılır.",
    "iso-8859-15": "Le coût est de 250 € pour l'œuvre de la sœur, à Mâcon.",
    "windows-1250": "Přelíčení začne v úterý, žaloba “zní” – šest svědků.",
    "windows-1251": "Заседание назначено на понедельник – “зал № 3”.",
    "windows-1252": "The clerk’s note: “not before 10” – fee 250 €, café Œdipe…",
    "windows-1253": "Η απόφαση – “€ 250” – κοινοποιήθηκε χθες.",
    "windows-1254": "Tanığın adı “Şükrü Işık” – ücreti 250 €.",
    "windows-1255": "הדיון יתקיים ביום שני בשעה עשר – “אולם 3”.",
    "windows-1256": "تعقد الجلسة يوم الاثنين – “القاعة الثالثة”.",
    "koi8-r": "Заседание назначено на понедельник в десять часов.",
    "koi8-u": "Засідання відбудеться в понеділок, ґрунтовно й уїдливо.",
    "iso-2022-jp": "審理は月曜日の十時から、第三法廷で行います。カタカナも。",
    "shift_jis": "審理は月曜日の十時から、第三法廷で行います。表示とソート。",
    "euc-jp": "審理は月曜日の十時から、第三法廷で行います。",
    "gb2312": "星期一上午十点在第三法庭开庭。",
    "gb18030": "星期一上午十点在第三法庭开庭，证人𠮷田与㐀先生。",
    "big5": "星期一上午十點在第三法庭開庭。",
    "euc-kr": "재판은 월요일 오전 열 시에 제삼 법정에서 열립니다.",
    "utf-8": "Zażółć gęślą jaźń – 裁判 – суд – δίκη – דין – 🏛️ “ten”.",
}

# Names of files in many scripts, and with signs that headers give a meaning.
FILE_NAMES = {
    "plain": "order.pdf",
    "spaces": "Order of the court.pdf",
    "latin": "Beschluß – Anlage für Müller.pdf",
    "polish": "Załącznik źródłowy.pdf",
    "cyrillic": "Судебное решение.pdf",
    "greek": "Απόφαση δικαστηρίου.pdf",
    "japanese": "判決書 第三号.pdf",
    "chinese": "判决书.pdf",
    "korean": "판결문.pdf",
    "arabic": "حكم المحكمة.pdf",
    "hebrew": "פסק דין.pdf",
    "emoji": "Notes 🏛️.pdf",
    "signs": "R v O'Brien, 12% (copy); final=1.pdf",
    "long": "Schedule of unused material served on the defence before the hearing "
    "of the application to adjourn, in three parts.pdf",
    "long cyrillic": "Приложение к ходатайству об отложении судебного заседания "
    "по делу о защите.pdf",
}

PARAGRAPH = (
    "The court has read the application and the response, and directs that the "
    "hearing of Monday be adjourned; the parties are to agree a timetable, failing "
    "which each sends its own to the listing office by four on Friday."
)
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Marlow Finch//Diary//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:hearing-1@marlowfinch.example
DTSTAMP:20261101T090000Z
DTSTART:20261207T100000Z
DTEND:20261207T113000Z
SUMMARY:Case management hearing
LOCATION:Court three
ORGANIZER;CN=Jane Finch:mailto:jane@marlowfinch.example
ATTENDEE;RSVP=TRUE:mailto:listing@northgate.secure.example
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@dataclass(frozen=True, slots=True)
class File:
    """A file to attach."""

    name: str
    content_type: str
    data: bytes

    def written_to(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.data)
        return path


def pdf(words: str = "order", octets: int = 0) -> bytes:
    """Returns what begins as a PDF; no two with different words are alike."""
    filling = random.Random(words).randbytes(octets)
    return b"%PDF-1.4\n% " + words.encode() + b"\n" + filling + b"\n%%EOF\n"


def picture(red: int = 200) -> bytes:
    """Returns a PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes([0, red, 30, 30]))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


def texts(few: bool = False, without: Collection[str] = ()) -> dict[str, str]:
    """Returns a text for each charset, or for every fifth."""
    chosen = [charset for charset in TEXTS if charset not in without]
    return {charset: TEXTS[charset] for charset in chosen[:: FEW if few else 1]}


def files(few: bool = False) -> dict[str, File]:
    """Returns one file for each name of FILE_NAMES, or for every fifth."""
    return {
        kind: File(FILE_NAMES[kind], "application/pdf", pdf(kind, 300))
        for kind in list(FILE_NAMES)[:: FEW if few else 1]
    }


def long_line(words: int = 900) -> str:
    """Returns one line that is longer than SMTP lets a line be (RFC 5321 §4.5.3.1.6)."""
    return " ".join(f"word{number}" for number in range(words))


def flowing() -> str:
    """Returns paragraphs, a quotation and a line that begins with From and a dot."""
    return (
        f"{PARAGRAPH}\n\nFrom here on the list is agreed.\n.dotted\n"
        f"> {PARAGRAPH[:150]}\n>> deeper\n\nJane\n-- \nMarlow Finch\n"
    )


def as_html(text: str, extra: str = "") -> str:
    return (
        "<html><head><title>Letter</title></head><body>"
        f"<p>Dear <b>listing office</b>,</p><p>{text}</p>{extra}</body></html>"
    )
