from __future__ import annotations

import pytest

from portal.webmail.rendering.html_sanitiser import sanitise_html


def shown(text: str, href: str) -> str:
    return sanitise_html(f'<p>See <a href="{href}">{text}</a> now', {}).html


@pytest.mark.parametrize(
    ("text", "href", "target"),
    [
        ("https://court.example/case", "https://evil.example/case", "evil.example"),
        ("court.example", "http://evil.example", "evil.example"),
        (
            "www.court.example",
            "https://court.example.evil.example/",
            "court.example.evil.example",
        ),
        ("jane@court.example", "https://evil.example/", "evil.example"),
        ("<b>court</b>.example", "https://evil.example", "evil.example"),
        ("https://court.example/a", "https://court.example:8443/b", None),
        ("www.court.example", "https://court.example/b", None),
        ("court.example", "https://files.court.example/b", None),
        ("the court", "https://evil.example/b", None),
        ("court.example", "https://[broken", None),
        ("bücher.example", "https://xn--bcher-kva.example/", None),
        ("section 3.2", "https://court.example", None),
    ],
)
def test_a_link_to_another_host_than_its_text_names_is_marked(
    text: str, href: str, target: str | None
) -> None:
    page = shown(text, href)

    if target is None:
        assert "goes to" not in page
    else:
        assert f"[goes to {target}]" in page
        assert page.index("now") > page.index("goes to")
