"""The keyboard check finds the faults that it is meant to find."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.portal import screens

pytestmark = pytest.mark.slow

GOOD = '<a href="/">Home</a> <button>Go</button> <label>Name <input></label>'


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        (GOOD, None),
        (f'{GOOD}<div tabindex="0" style="outline: none">x</div>', "cannot be seen"),
        ('<a href="/" style="outline: none">Home</a>', "focus cannot be seen"),
        (
            '<input onkeydown="event.preventDefault()"><button>Out of reach</button>',
            "Tab does not come to <button>Out of reach",
        ),
    ],
)
def test_what_tab_misses_and_what_hides_it_are_faults(
    page: Page, markup: str, fault: str | None
) -> None:
    page.set_content(markup)

    found = screens.keyboard_faults(page)

    assert [one for one in found if fault is None or fault not in one] == []
    assert len(found) == (fault is not None)
