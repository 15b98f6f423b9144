from __future__ import annotations

from portal.webmail.download import attachment_response


def test_a_file_is_handed_over_and_never_shown() -> None:
    response = attachment_response(b"<script>alert(1)</script>", "Siân “1”.html")

    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
