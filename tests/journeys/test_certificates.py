"""A delivery certificate, from the message to a court that doubts it (N5)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.letters import wait_for_message
from tests.journeys.visitor import Person, Visitor, Visits
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey

GENUINE = "This certificate is genuine"
PLAIN = {"java_script_enabled": False}


def make(visitor: Visitor) -> dict[str, bytes]:
    """Makes a certificate of the message that is open; returns its files."""
    visitor.page.get_by_text("More to do with this message").click()
    visitor.press("Make a delivery certificate")
    assert visitor.sees("What this does not prove")
    return {
        f"certificate.{ending}": visitor.download(f"Download the certificate ({name})")
        for ending, name in (("pdf", "PDF"), ("json", "JSON"))
    }


def verify_by_page(stranger: Visitor, name: str, file: bytes) -> str:
    stranger.open("/certificates/")
    stranger.page.set_input_files(
        "[name=file]", {"name": name, "mimeType": "", "buffer": file}
    )
    with stranger.page.expect_navigation():
        stranger.press("Verify")
    return stranger.page.inner_text("main")


def verify_offline(folder: Path, name: str, file: bytes) -> tuple[int, str]:
    """Runs the command with the downloaded keys, in an installation without a database."""
    (folder / name).write_bytes(file)
    command = [sys.executable, "manage.py", "verify_certificate", folder / name]
    ran = subprocess.run(
        [*command, "--keys", folder / "keys.json"],
        env={"PATH": "/usr/bin:/bin", "POSTERN_VAR": str(folder / "var")},
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stdout + ran.stderr


def changed(file: bytes, at: int) -> bytes:
    octets = bytearray(file)
    octets[at] ^= 1
    return bytes(octets)


def test_a_certificate_is_made_verified_by_a_stranger_and_refused_when_changed(
    visit: Visits, postern: Postern, ben: Person, david: Person, tmp_path: Path
) -> None:
    author, recipient = visit(ben), visit(david, **PLAIN)
    author.write(to=david["address"], subject="Notice served", text="By hand.")
    author.send()
    wait_for_message(postern, david, "Notice served")

    author.open("/mail/")
    author.follow("Sent")
    author.follow("Notice served")
    of_author = make(author)
    recipient.open("/mail/")
    recipient.follow("Notice served")
    of_recipient = make(recipient)

    stranger, plain = visit(), visit(**PLAIN)
    stranger.open("/certificates/")
    (tmp_path / "keys.json").write_bytes(
        stranger.page.request.get(postern.web + "/certificates/keys.json").body()
    )
    for files, browser in ((of_author, stranger), (of_recipient, plain)):
        for name, file in files.items():
            shown = verify_by_page(browser, name, file)
            assert GENUINE in shown
            assert david["address"] in shown
            code, said = verify_offline(tmp_path, name, file)
            assert code == 0 and "GENUINE" in said, said
            wrong = changed(file, len(file) // 2)
            assert GENUINE not in verify_by_page(browser, name, wrong)
            assert browser.sees("not as it was when it was signed")
            code, said = verify_offline(tmp_path, name, wrong)
            assert code == 1 and "NOT GENUINE" in said
