from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.embedded import EmbeddedScanner
from tests.engine.antivirus import specimens
from tests.peers.clamd import EICAR, Clamd


@pytest.fixture
def configure(settings):
    def change(**over: str) -> None:
        settings.POSTERN = settings.POSTERN.model_copy(update=over)

    return change


def test_configured_by_default(configure) -> None:
    configure(clamd="")

    assert isinstance(message_scan.configured(), EmbeddedScanner)


@pytest.mark.parametrize("target", ["/run/clamav/clamd.ctl", "scanner.example:3310"])
def test_configured_with_clamd(configure, target: str) -> None:
    configure(clamd=target)

    found = message_scan.configured()

    assert isinstance(found, ClamdScanner)
    assert found.targets == (target,)


def test_configured_with_several_clamds(configure) -> None:
    configure(clamd="/run/clamav/clamd.ctl, scanner.example:3310")

    found = message_scan.configured()

    assert isinstance(found, ClamdScanner)
    assert found.targets == ("/run/clamav/clamd.ctl", "scanner.example:3310")


def test_scan_bytes_with_clamd(configure, clamd: Clamd) -> None:
    configure(clamd=clamd.socket)

    assert message_scan.scan_bytes(specimens.message(EICAR)).is_infected
    assert not message_scan.scan_bytes(specimens.message(b"A brief.")).is_infected


def test_scan_bytes_without_clamd(configure) -> None:
    configure(clamd="")

    assert message_scan.scan_bytes(specimens.message(EICAR)).is_infected
    assert not message_scan.scan_bytes(specimens.message(b"A brief.")).is_infected


@pytest.mark.parametrize("name", ["statement.csv", "a\r\n\r\nb", "From: x\r\n\r\n"])
def test_a_file_is_looked_into_whatever_it_is_called_inside(
    configure, name: str
) -> None:
    configure(clamd="")

    verdict = message_scan.scan_file([specimens.gzipped(EICAR, name=name)])

    assert verdict.signature == "Postern.Test.EICAR"


def test_scan_bytes_with_scanner_off(configure) -> None:
    configure(clamd="off")

    assert not message_scan.scan_bytes(specimens.message(EICAR)).is_infected


def test_scanner_off_in_production(configure) -> None:
    configure(clamd="off", env="production")

    with pytest.raises(ImproperlyConfigured, match="POSTERN_CLAMD"):
        message_scan.configured()
