from __future__ import annotations

import pytest

from engine.mail.reading import content_ids


@pytest.mark.parametrize(
    ("markup", "ids"),
    [
        ('<img src="cid:a@b">', ["a@b"]),
        ("<img src=CID:a>", ["a"]),
        ('<img src="cid&#58;a&amp;b">', ["a&b"]),
        ("<p style=\"background: url('cid:a%20b')\">", ["a b", "a%20b"]),
        ("cid:a cid:b cid:a", ["a", "b"]),
        ("cid:", []),
    ],
)
def test_each_content_id_is_found_once(markup: str, ids: list[str]) -> None:
    assert content_ids.referred_to(markup) == ids


def test_content_ids_are_found_at_every_place_of_a_long_text() -> None:
    width = content_ids._WINDOW
    ids_cut = f"two{'x' * 997}"
    for before in range(width - 12, width + 2):
        text = f"{'x' * before}cid:one cid:two{'x' * width} cid:three"

        assert content_ids.referred_to(text) == ["one", ids_cut, "three"]


def test_a_long_run_is_read_as_one_search_would() -> None:
    text = "cid:" * 200_000

    assert list(content_ids._written(text)) == content_ids._CID.findall(text)
