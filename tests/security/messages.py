"""Messages that take long to show, and are harmless otherwise."""

from __future__ import annotations

from collections.abc import Callable

K = 1000
HEADER = (
    b"From: Jane Doe <jane@firm.example>\r\nTo: bob@northfield.secure.example\r\n"
    b"Subject: The papers\r\nMessage-ID: <hostile@firm.example>\r\n"
)


def html(markup: str) -> bytes:
    fields = (
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit"
    )
    return HEADER + fields + b"\r\n\r\n" + markup.encode()


def text(words: str, *fields: str) -> bytes:
    more = "".join(f"{field}\r\n" for field in fields).encode()
    plain = b"Content-Type: text/plain; charset=utf-8\r\n"
    return HEADER + more + plain + b"\r\n" + words.encode()


def nested(tag: str, depth: int, *, inner: str = "") -> bytes:
    """Returns an element nested in itself; `inner` comes after each opening tag."""
    return html(f"<{tag}>{inner}" * depth + "words" + f"</{tag}>" * depth)


def many(element: str, count: int) -> bytes:
    return html(element * count)


def to(count: int) -> bytes:
    people = ",\r\n ".join(f"Person {n} <p{n}@firm.example>" for n in range(count))
    return b"To: " + people.encode() + b"\r\n" + text("words")


def parts(count: int, fields: str = "Content-Type: text/plain") -> bytes:
    body = "".join(f"--b\r\n{fields}\r\n\r\nwords {n}\r\n" for n in range(count))
    mixed = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    return HEADER + mixed + body.encode() + b"--b--\r\n"


MESSAGES: dict[str, Callable[[], bytes]] = {
    "lists in lists": lambda: nested("ul", 10 * K, inner="<li>"),
    "lists in lists, shallow": lambda: nested("ul", 90, inner="<li>"),
    "many shallow lists in lists": lambda: html(
        ("<ul><li>" * 60 + "x" + "</li></ul>" * 60) * 80
    ),
    "tables in tables": lambda: nested("table", 10 * K, inner="<tr><td>"),
    "many tables in tables": lambda: html(
        ("<table><tr><td>" * 40 + "x" + "</td></tr></table>" * 40) * 80
    ),
    "quotes in quotes": lambda: nested("blockquote", 10 * K),
    "many quotes in quotes": lambda: html(
        ("<blockquote>" * 150 + "x" + "</blockquote>" * 150) * 60
    ),
    "boxes in boxes": lambda: nested("div", 10 * K),
    "many boxes in boxes": lambda: html(("<div>" * 190 + "x" + "</div>" * 190) * 50),
    "tiny elements": lambda: many("<b>x</b>", 200 * K),
    "as many elements as are shown": lambda: many("<i>x</i> ", 9 * K),
    "rows of a table": lambda: html("<table>" + "<tr><td>x<td>y" * 6 * K + "</table>"),
    "columns of a table": lambda: html("<table><tr>" + "<td>x" * 15 * K + "</table>"),
    "cells over many columns": lambda: html(
        "<table>" + "<tr><td colspan=1000 rowspan=1000>x" * 4 * K + "</table>"
    ),
    "items of a list": lambda: html("<ol>" + "<li>x" * 15 * K + "</ol>"),
    "preformatted lines": lambda: html("<pre>" + "x\n" * 400 * K + "</pre>"),
    "styles": lambda: html(
        "<style>" + "p{color:red}" * 60 * K + "</style>" + "<p>x" * 60
    ),
    "styles and elements": lambda: html(
        "<style>" + "".join(f".c{n}{{color:red}}" for n in range(400)) + "</style>"
        + "".join(f"<p class=c{n % 400}>x" for n in range(9 * K))
    ),
    "styles that look far": lambda: html(
        "<style>" + "div div div div p{color:red}" * 300 + "</style>"
        + ("<div>" * 90 + "<p>x</p>" + "</div>" * 90) * 60
    ),
    "styles of elements": lambda: html("<p style='color:red;margin:1px'>x" * 15 * K),
    "long styles": lambda: html(f"<p style='{'color:red;' * 700}'>x" * 100),
    "attributes": lambda: html("<p " + " ".join(f"a{n}=x" for n in range(900)) + ">x"),
    "links": lambda: html("<a href='https://example.org/'>x</a> " * 9 * K),
    "entities": lambda: html("&amp;&lt;&#x41;" * 60 * K),
    "comments": lambda: html("<!-- x -->" * 90 * K),
    "open tags": lambda: html("<" * 900 * K),
    "large": lambda: html("<p>words " * 15 * K + "words " * 120 * K),
    "one word in a page": lambda: html("x" * 1000 * K),
    "one word": lambda: text("x" * 1000 * K),
    "one long line": lambda: text("words and " * 100 * K),
    "short lines": lambda: text("x\r\n" * 400 * K),
    "quoted lines": lambda: text(">" * 200 + "\r\n" + "> x\r\n" * 250 * K),
    "deeply quoted lines": lambda: text((">" * 900 + "x\r\n") * 1100),
    "links in a text": lambda: text("https://example.org/ " * 45 * K),
    "characters of markup": lambda: text("<&>\"'" * 200 * K),
    "recipients": lambda: to(50 * K),
    "recipients that fit": lambda: to(4 * K),
    "header fields": lambda: b"X-Filler: words\r\n" * 10 * K + text("words"),
    "references": lambda: text(
        "words",
        "References: " + "\r\n ".join(f"<{n}@firm.example>" for n in range(9 * K)),
    ),
    "encoded words": lambda: text(
        "words", "Subject: " + "\r\n ".join(["=?utf-8?q?x?=", "=?big5?b?pKQ=?="] * 4 * K)
    ),
    "parts": lambda: parts(5 * K),
    "parts that are shown": lambda: parts(990),
    "pages": lambda: parts(990, "Content-Type: text/html"),
    "files": lambda: parts(
        990, 'Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment'
    ),
    "pictures": lambda: parts(990, "Content-Type: image/png\r\nContent-ID: <a>"),
    "messages in messages": lambda: (
        HEADER + b"Content-Type: message/rfc822\r\n\r\n" * 29 + b"Subject: x\r\n\r\nwords"
    ),
}  # fmt: skip
