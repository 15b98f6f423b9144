from __future__ import annotations

import pytest

from engine.mail.mime.part_walker import walk


@pytest.mark.parametrize(
    ("header", "content_type"),
    [
        (b"CONTENT-type : text/html\r\n", "text/html"),
        (b"content-type:\r\n\ttext/html;\r\n charset=utf-8\r\n", "text/html"),
        (b"X-One: 1\nContent-Type: text/html\nX-Two: 2\n", "text/html"),
        (b"Content-Type: text/html\r\nContent-Type: text/csv\r\n", "text/html"),
        (b"Con\0tent-Ty\0pe: text/html\r\n", "text/html"),
        (b"X: 1\r\n Content-Type: text/html\r\n", "text/plain"),
        (b"Content-Type text/html\r\n", "text/plain"),
        (b"X-Content-Type: text/html\r\n", "text/plain"),
        (b"X: " + b"x" * 10_000 + b"\r\nContent-Type: text/html\r\n", "text/html"),
        (b"X: " + b"x" * 100_000 + b"\r\nContent-Type: text/html\r\n", "text/plain"),
    ],
)
def test_header_of_a_part(header: bytes, content_type: str) -> None:
    body = b"--b\r\n" + header + b"\r\nThe words\r\n--b--\r\n"
    (part,) = walk(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", body)
    assert part.content_type == content_type
    assert part.data().endswith(b"The words")
    with pytest.raises(TypeError):
        part.parameters["charset"] = "utf-7"  # type: ignore[index]


def test_lines_that_are_no_fields_hide_no_field() -> None:
    header = b"Content-Type\r\n" * 3000 + b"Content-Type: text/html\r\n\r\n"
    (part,) = walk(header, b"<p>The words</p>")
    assert part.content_type == "text/html"
    assert part.content_types == {"text/html"}
