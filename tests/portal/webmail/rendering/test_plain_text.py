from __future__ import annotations

import pytest

from portal.webmail.rendering.plain_text import linked


def test_markup_in_text_is_only_text() -> None:
    assert linked("<script>alert('1')</script> & more") == (
        "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; more"
    )


def test_web_addresses_are_links_without_what_closes_the_sentence() -> None:
    found = linked("See https://court.example/list?a=1&b=2, or (http://x.example).")

    assert 'href="https://court.example/list?a=1&amp;b=2"' in found
    assert ">http://x.example</a>)." in found
    assert 'rel="noopener noreferrer nofollow"' in found


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "data:text/html,x", "xhttps:// y", "ftp://x.example"],
)
def test_other_schemes_are_no_links(text: str) -> None:
    assert "<a" not in linked(text)


def test_quotes_cannot_leave_the_link() -> None:
    assert '" onclick' not in linked('https://x.example/" onclick="alert(1)')
