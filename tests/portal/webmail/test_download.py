from __future__ import annotations

import pytest

from portal.webmail.download import attachment_response, safe_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bundle.pdf", "Bundle.pdf"),
        ("Tystiolaeth - Siân.docx", "Tystiolaeth - Siân.docx"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Users\\x.txt", "C_Users_x.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nSet-Cookie: b.txt", "aSet-Cookie_ b.txt"),
        ("...", "attachment-1"),
        ("", "attachment-1"),
        ("///", "attachment-1"),
        (".htaccess", "htaccess"),
    ],
)
def test_a_file_gets_a_safe_name(name: str, expected: str) -> None:
    assert safe_name(name, "attachment-1") == expected


def test_a_long_name_keeps_its_ending() -> None:
    found = safe_name("x" * 500 + ".pdf", "attachment-1")

    assert len(found) == 120
    assert found.endswith("x.pdf")


def test_a_file_is_handed_over_and_never_shown() -> None:
    response = attachment_response(b"<script>alert(1)</script>", "Siân “1”.html")

    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
