from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from engine.antivirus.attachments import refused_kinds
from engine.antivirus.scanners import embedded
from portal.configuration.environment import Environment
from portal.console.operations import health_checks


@pytest.fixture
def community(settings):
    def configure(**changed: object) -> None:
        settings.POSTERN = Environment(**(settings.POSTERN.model_dump() | changed))

    return configure


def page_and_endings(client: Client) -> tuple[str, set[str]]:
    page = client.get("/attachments/").content.decode()
    found = re.findall(r'<span class="postern-value">\.?([^<]+)</span>', page)
    return html.unescape(page), set(found)


@pytest.mark.django_db
def test_everybody_reads_which_kinds_are_refused(client: Client) -> None:
    page, found = page_and_endings(client)

    unopened = embedded.CLOSED
    assert (
        found == refused_kinds.REFUSED_ENDINGS | refused_kinds.ACTIVE_ENDINGS | unopened
    )
    assert "Where this community differs" not in page
    assert "What is allowed with a warning" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("refuse", "and is refused"),
        ("mark", "delivers it, and warns the reader beside the message"),
    ],
)
def test_everybody_reads_what_becomes_of_encrypted_files(
    client: Client, community, chosen: str, said: str
) -> None:
    community(encrypted_content=chosen)

    assert said in page_and_endings(client)[0]


@pytest.mark.django_db
def test_a_community_shows_where_it_differs(client: Client, community) -> None:
    community(
        attachments_refused=["docm", "exe", "video/*"],
        attachments_allowed=["iso", "pdf"],
        attachments_active="refuse",
    )

    page, found = page_and_endings(client)
    differs = page[
        page.index("Where this community differs") : page.index("What is ref")
    ]

    assert (
        "Also refused here" in differs and ".docm" in differs and "video/*" in differs
    )
    assert "Allowed here" in differs and ".iso" in differs
    assert ".exe" not in differs and ".pdf" not in differs
    assert "not only marked with a warning" in differs
    assert "What is allowed with a warning" not in page
    assert {"docm", "video/*", "html", "svg", "vhd"} <= found


@pytest.mark.django_db
def test_the_console_says_how_many_and_where_to_read_them(community) -> None:
    community(attachments_refused=["docm"], attachments_allowed=["iso"])

    [cell] = [
        fact
        for label, fact in health_checks.configuration()
        if label == "Attachments refused"
    ]

    assert "besides the default docm, but not iso" in cell.text
    assert cell.note.endswith("/attachments/")


@pytest.mark.django_db
def test_archives_that_the_scanner_does_not_open_are_named(
    client: Client, community
) -> None:
    assert (
        "Archives that the virus scanner does not open" in page_and_endings(client)[0]
    )

    community(archives_unscanned=["7z", "rar", "tar.xz"])

    assert (
        "Archives that the virus scanner does not open"
        not in page_and_endings(client)[0]
    )
