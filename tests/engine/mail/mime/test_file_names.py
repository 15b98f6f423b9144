from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime import file_names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bundle.pdf", "Bundle.pdf"),
        ("Tystiolaeth - Siân.docx", "Tystiolaeth - Siân.docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x.txt", "x.txt"),
        ("folder/", "folder"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("invoice.pdf" + "\u3000" * 99 + ".exe", "invoice.pdf .exe"),
        ("invoice.pdf" + "\u2800" * 99 + ".exe", "invoice.pdf .exe"),
        ("a\r\nSet-Cookie: b.txt", "a Set-Cookie_ b.txt"),
        ("run.ex\u00ade", "run.exe"),
        ("run.exe. . ", "run.exe"),
        ("run.exe\ufe0f", "run.exe"),
        ('a"b<c>.pdf', "a_b_c_.pdf"),
        ("...", ""),
        ("", ""),
        ("///", ""),
        (".htaccess", "htaccess"),
        ("x" * 500 + ".settingcontent-ms", "x" * 102 + ".settingcontent-ms"),
    ],
)
def test_the_one_name_of_a_file(name: str, shown: str) -> None:
    assert file_names.canonical(name) == shown


def test_a_subject_keeps_what_stands_before_its_slash() -> None:
    assert file_names.from_title("Re: R/v Jones") == "Re_ R_v Jones"


@pytest.mark.parametrize(
    "field",
    [
        b'attachment; filename="run.exe"',
        b"attachment; filename=run.exe",
        b"attachment; filename=run.exe; size=1",
        b"attachment; FileName = run.exe",
        b'attachment; filename (comment) = "a.pdf"; name="run.exe"',
        b'attachment; filename="a.pdf"; filename="run.exe"',
        b'attachment; filename="run.exe"; filename="a.pdf"',
        b"attachment; filename=a.pdf; filename*=utf-8''run%2eexe",
        b"attachment; filename*=utf-8''a.pdf; filename=run.exe",
        b"attachment; filename*0=run.e; filename*1=xe",
        b"attachment; filename*1=xe; filename*0=run.e",
        b"attachment; filename*0*=utf-8''run%2E; filename*1=exe",
        b"attachment; filename*0=a.pdf; filename*0=run.; filename*1=exe",
        b'attachment; filename="=?utf-8?b?cnVuLmV4ZQ==?="',
        b'attachment; filename="=?utf-8?q?run?= =?utf-8?q?=2Eexe?="',
        b"attachment; filename==?utf-8?q?run.exe?=",
        b'attachment; filename="run%2Eexe"',
        b'attachment; filename="run.exe\0.pdf"',
        b'attachment; filename="run.exe:.pdf"',
        b'attachment; filename="a.pdf:.exe"',
        b'attachment; filename="run.exe?"',
        b'attachment; filename="run.exe.. "',
        'attachment; filename="run.exe\u200b"'.encode(),
        'attachment; filename="run.\u202eexe"'.encode(),
        'attachment; filename="run.\uff45\uff58\uff45"'.encode(),
        'attachment; filename="run。exe"'.encode(),
        b"attachment; filename*=utf-16be''%00r%00u%00n%00.%00e%00x%00e",
        b"attachment; filename*=iso-8859-1'en'r%FCn.exe",
        b"attachment (; filename=run.exe); filename=a.pdf",
        b'attachment; x="; filename=run.exe"',
        b"attachment\r\n\t; filename\r\n =\r\n run.exe",
        b"application/octet-stream; name=run.exe (a comment)",
        b'attachment; filename="run.exe',
        b'attachment; filename="run\\.exe"',
    ],
)
def test_every_reading_of_a_name(field: bytes) -> None:
    assert "exe" in file_names.endings(file_names.written_in([field]))


@pytest.mark.parametrize(
    "field",
    [
        b"attachment; filename=report (1).pdf",
        b'attachment; filename="exe.pdf"',
        b'attachment; filename="exe"',
        b"attachment",
        'attachment; filename="Rhestr o dystion Siân.docx"'.encode(),
        b"attachment; filename*=utf-8''R%20v%20Jones%20%28exe%29.pdf",
    ],
)
def test_an_honest_name(field: bytes) -> None:
    found = file_names.endings(file_names.written_in([field]))

    assert "exe" not in found


def test_more_names_than_anybody_looks_through() -> None:
    for field in (b"; name=a" * 101, b"x" * 70_000):
        with pytest.raises(file_names.TooManyNamesError):
            file_names.written_in([field])


@given(st.text(max_size=300))
def test_a_shown_name_is_stable_and_plain(name: str) -> None:
    shown = file_names.canonical(name)

    assert file_names.canonical(shown) == shown
    assert len(shown) <= file_names.MAX_NAME
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, shown))
    assert not set(shown) & set('\\/:*?"<>|%')
    assert shown == shown.strip(" .")


@given(st.text(max_size=300))
def test_the_shown_ending_is_among_those_that_are_judged(name: str) -> None:
    shown = file_names.canonical(name)

    assert file_names.endings([shown]) <= file_names.endings([name])


@given(st.binary(max_size=300))
def test_any_field_can_be_read(field: bytes) -> None:
    for name in file_names.written_in([field]):
        file_names.endings([name])
