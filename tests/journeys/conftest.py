"""One running service, real peers around it, and browsers."""

from __future__ import annotations

import tempfile
import urllib.request
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from portal.demo.certificates import Authority
from tests import migrated
from tests.journeys import applying
from tests.journeys import firm as firms
from tests.journeys.visitor import Person, Visitor, Visits
from tests.peers.chromium import launch_options
from tests.peers.clamd import Clamd
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix
from tests.peers.process import free_port


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the text of every open page to the report of a failed journey."""
    report = yield
    visits = getattr(item, "funcargs", {}).get("visits")
    if report.failed and isinstance(visits, Visits):
        report.sections.append(("Open pages", visits.page_texts()))
    return report


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    return launch_options()


@pytest.fixture(scope="session")
def clamd() -> Iterator[Clamd]:
    with tempfile.TemporaryDirectory(prefix="clamd-") as folder:
        scanner = Clamd(Path(folder))
        scanner.start()
        yield scanner
        scanner.stop()


@pytest.fixture(scope="session")
def postern(clamd: Clamd) -> Iterator[Postern]:
    """One running service for all journeys: starting it is the slowest part."""
    demo = migrated.prepared(migrated.DEMO)
    pushes = {
        "POSTERN_WEB_PUSH": "true",
        "POSTERN_WEB_PUSH_HOSTS": '["127.0.0.1"]',
    }
    with Postern(demo, POSTERN_CLAMD=clamd.socket, **pushes) as running:
        yield running


@pytest.fixture(scope="session")
def visits(browser: Browser, postern: Postern) -> Visits:
    return Visits(browser, postern)


@pytest.fixture
def visit(visits: Visits) -> Iterator[Visits]:
    """Opens browsers, which are closed after the test."""
    yield visits
    visits.close_all()


@pytest.fixture
def visitor(visit: Visits) -> Visitor:
    """A visitor who has not signed in."""
    return visit()


@pytest.fixture(scope="session")
def ben(postern: Postern) -> Person:
    """A member with a hosted mailbox."""
    return postern.person("member", address="ben@northgate.secure.example")


@pytest.fixture(scope="session")
def priya(postern: Postern) -> Person:
    """Ben's colleague."""
    return postern.person("member", address="priya@northgate.secure.example")


@pytest.fixture(scope="session")
def david(postern: Postern) -> Person:
    """A barrister in another chambers."""
    return postern.person("member", address="david@harbour.secure.example")


@pytest.fixture(scope="session")
def grace(postern: Postern) -> Person:
    """The administrator of David's chambers."""
    return postern.person("administrator", address="grace@harbour.secure.example")


@pytest.fixture(scope="session")
def firm_port() -> int:
    """The port that the firm's own server will listen on."""
    return free_port()


@pytest.fixture(scope="session")
def letter(visits: Visits, postern: Postern, firm_port: int) -> firms.Letter:
    """The firm's welcome letter: it applies, is approved, and downloads it."""
    stranger = visits()
    firms.apply(stranger, postern, firm_port)
    assert stranger.sees("Application complete")
    applying.sponsor_confirms(visits(), postern, firms.NAME)
    officer = visits(postern.person("vetting_officer"))
    applying.officer_approves(officer, firms.NAME)

    welcome = applying.wait_for_notice(postern, firms.EVERYDAY, "can now use")
    stranger.open("/apply/progress/")
    assert stranger.sees("Your account is ready")
    stranger.page.goto(applying.link_in(welcome, "/apply/letter/"))
    with stranger.page.expect_download() as download:
        stranger.press("Download the letter (PDF)")
    return firms.read_letter(Path(download.value.path()).read_bytes())


@pytest.fixture(scope="session")
def firm(
    letter: firms.Letter,
    postern: Postern,
    firm_port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Postfix]:
    """The firm's Postfix, configured from its welcome letter alone."""
    authority_file = tmp_path_factory.mktemp("firm") / "postern-ca.pem"
    with urllib.request.urlopen(letter.authority_url) as answer:
        authority_file.write_bytes(answer.read())
    own = Authority(postern.folder / "tls").issue("mail.firm.example", "localhost")
    server = Postfix(
        "firm.example",
        "jane",
        "tom",
        cert_file=own.cert_file,
        key_file=own.key_file,
        options={"message_size_limit": "52428800", "minimal_backoff_time": "1s"},
    )
    server.port = firm_port
    server.relay_through(
        letter.host,
        letter.port,
        username=letter.username,
        password=letter.password,
        ca_file=authority_file,
    )
    with server:
        yield server
