from __future__ import annotations

from portal.ui.templatetags.govuk import broken


def test_an_address_breaks_after_its_marks_and_stays_text() -> None:
    assert broken("a@b.example") == "a@<wbr>b.<wbr>example"
    assert broken("<b>@x") == "&lt;b&gt;@<wbr>x"
