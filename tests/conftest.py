"""The people and organisations that all tests share.

Alice administers Northfield, Bob is a member of it, and Charlie, from outside, must see
nothing of it. Northfield is hosted here, Harbour is its neighbour (hosted too), and
Firm has its own mail server. Vera is a vetting officer, Hugh a helpdesk agent and Olive
an operator.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, Page

from engine.database import clock
from engine.registry.models import (
    AccountType,
    Connection,
    Kind,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from portal.demo.dns_server import NameServer
from portal.ui import asset_collector
from tests import factories, migrated
from tests.fakes import RecordingClamd
from tests.peers import shared_browser
from tests.peers.chromium import OpenPage

# Run again on PostgreSQL only where they commit, or are named below. The rest asks through
# the ORM; tests/permissions opens each page there, and test_verbs acts by each verb.
PAGES = ("tests/api/", "tests/onboarding/", "tests/portal/", "tests/security/")
ON_BOTH = (
    "tests/api/test_sandbox",
    "tests/portal/directory/",
    "tests/portal/guides/test_search",
    "tests/portal/organisation/mail/test_trace",
    "tests/portal/test_",
    "tests/security/test_verbs",
)

# The fixtures by which pytest-django opens the database.
DATABASE = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}


def pytest_configure() -> None:
    """Collects garbage less often: imports leave half a million objects."""
    gc.set_threshold(300_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Ends the browser before a test of another file that does not use it."""
    if not _uses_browser(item):
        shared_browser.leave(item.path)


def pytest_unconfigure() -> None:
    """Ends the browser, if the last test used it."""
    shared_browser.end()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names octets by their argument, not their value.

    Compressed octets may contain the time, and pytest-xdist requires all workers to
    collect the same test ids.
    """
    return argname if isinstance(val, bytes) else None


def pytest_collection_finish() -> None:
    """Exempts everything loaded so far from garbage collection."""
    gc.freeze()


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Selects only tests that use the database, without a browser, on PostgreSQL.

    Slow tests run first, so that none of them keeps one worker busy after the others
    finish; then files with a browser, one after another, so that they share it.
    """
    in_browser = {item.path for item in items if _uses_browser(item)}

    def turn(item: pytest.Item) -> int:
        if item.path in in_browser:
            return 1
        return 0 if item.get_closest_marker("slow") else 2

    items.sort(key=turn)
    if connection.vendor != "postgresql":
        return
    once = [item for item in items if not _uses_database(item)]
    items[:] = [item for item in items if _uses_database(item)]
    config.hook.pytest_deselected(items=once)


def _uses_browser(item: pytest.Item) -> bool:
    return "chromium" in getattr(item, "fixturenames", ())


def _uses_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_database"):
        return False
    asked = set(getattr(item, "fixturenames", ()))
    marker = item.get_closest_marker("django_db")
    if _uses_browser(item) or (marker is None and not asked & DATABASE):
        return False
    place = item.nodeid
    if not place.startswith(PAGES) or place.startswith(ON_BOTH):
        return True
    commits = marker is not None and marker.kwargs.get("transaction", False)
    return bool(commits or asked & (DATABASE - {"db"}))


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """Whether the test database is a copy of one that is already migrated."""
    return migrated.use_copy(connection.settings_dict)


@pytest.fixture
def northfield(db: None) -> Organisation:
    organisation = factories.make_organisation(name="Northfield Court", kind=Kind.COURT)
    factories.make_domain(organisation, "northfield.secure.example")
    return organisation


@pytest.fixture
def harbour(db: None) -> Organisation:
    organisation = factories.make_organisation(name="Harbour Chambers")
    factories.make_domain(organisation, "harbour.secure.example")
    return organisation


@pytest.fixture
def firm(db: None) -> Organisation:
    organisation = factories.make_organisation(
        name="Firm Solicitors", account_type=AccountType.SMTP
    )
    factories.make_domain(organisation, "firm.example")
    return organisation


@pytest.fixture
def firm_connection(firm: Organisation) -> Connection:
    return factories.make_connection(firm)


@pytest.fixture
def alice(northfield: Organisation) -> Person:
    """An administrator of Northfield, with a mailbox."""
    person = factories.make_person("alice@northfield.secure.example", northfield)
    factories.make_mailbox(person)
    factories.make_administrator(person)
    return person


@pytest.fixture
def bob(northfield: Organisation) -> Person:
    """A member of Northfield, with a mailbox."""
    person = factories.make_person("bob@northfield.secure.example", northfield)
    factories.make_mailbox(person)
    return person


@pytest.fixture
def charlie(harbour: Organisation) -> Person:
    """An administrator of Harbour, the neighbour, with a mailbox."""
    person = factories.make_person("charlie@harbour.secure.example", harbour)
    factories.make_mailbox(person)
    factories.make_administrator(person)
    return person


@pytest.fixture
def vera(db: None) -> Person:
    """A vetting officer."""
    person = factories.make_person("vera@secure.example", name="Vera")
    factories.make_staff(person, RoleName.VETTING_OFFICER)
    return person


@pytest.fixture
def olive(db: None) -> Person:
    """An operator."""
    person = factories.make_person("olive@secure.example", name="Olive")
    factories.make_staff(person, RoleName.OPERATOR)
    return person


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The only name server that is queried; it knows the records that a test adds."""
    with NameServer() as server:
        monkeypatch.setattr(settings.POSTERN, "dns_servers", [server.server])
        yield server


@pytest.fixture
def hugh(db: None) -> Person:
    """A helpdesk agent."""
    person = factories.make_person("hugh@secure.example", name="Hugh")
    factories.make_staff(person, RoleName.HELPDESK_AGENT)
    return person


@pytest.fixture
def helpdesk(db: None) -> Mailbox:
    """The mailbox that receives mail to the helpdesk."""
    service = factories.make_organisation(name="Service desk", kind=Kind.OPERATOR)
    factories.make_domain(service, "secure.example")
    return factories.make_group_mailbox("helpdesk@secure.example", service)


@pytest.fixture(scope="session")
def collected_assets() -> None:
    """Stylesheets and scripts, for tests that open pages in a browser."""
    # Not in POSTERN.var, which some tests replace.
    asset_collector.collect(
        settings.BASE_DIR / "node_modules", settings.STATICFILES_DIRS[-1]
    )


@pytest.fixture
def chromium(collected_assets: None, request: pytest.FixtureRequest) -> Browser:
    """A browser, shared with other files: it takes a second of processor time to start."""
    return shared_browser.of(request.path)


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Opens pages in separate browser contexts, which are closed after the test."""
    yield lambda **options: chromium.new_context(**options, locale="en-GB").new_page()
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


@pytest.fixture
def clocks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the database's clock this host's: `time_machine` moves both."""
    monkeypatch.setattr(clock, "now", timezone.now)
    monkeypatch.setattr(
        clock, "estimated_timestamp", lambda: timezone.now().timestamp()
    )
    monkeypatch.setattr(clock, "estimated_now", timezone.now)


@pytest.fixture
def recording_clamd(settings) -> Iterator[RecordingClamd]:
    """A configured clamd that finds nothing and records what it receives."""
    with tempfile.TemporaryDirectory() as folder, RecordingClamd(Path(folder)) as clamd:
        settings.POSTERN = settings.POSTERN.model_copy(update={"clamd": clamd.socket})
        yield clamd
