"""A new member reads how things are done (S12)."""

from __future__ import annotations

import pytest

from tests.journeys.firm import text_of
from tests.journeys.visitor import Visits
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey


def test_a_guide_is_found_read_and_kept_as_pdf(visit: Visits, postern: Postern) -> None:
    visitor = visit()
    visitor.open("/guides/")
    visitor.fill(q="signature")
    visitor.press("Search")
    visitor.follow("Add a signature")
    assert visitor.sees("Related guides")
    visitor.press("Yes")
    assert visitor.sees("Thank you")
    visitor.open("/guides/signatures/")
    link = visitor.page.get_by_role("link", name="as PDF")
    pdf = visitor.page.request.get(postern.web + str(link.get_attribute("href")))

    assert "Add a signature" in text_of(pdf.body())
