"""What the website imports before its port opens."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Prints which of the named modules are there when the process would begin to serve.
PROGRAM = """
import sys
from unittest import mock
import django
from django.core.management import call_command

django.setup()
with mock.patch("engine.processes.process_group.run"):
    call_command("run_web", alone=True)
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    names = ["portal.urls", "portal.webmail.urls", "weasyprint", "pyhanko"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        env=os.environ,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def test_every_page_is_there_when_the_port_opens(imported: set[str]) -> None:
    assert {"portal.urls", "portal.webmail.urls"} <= imported


def test_the_renderer_of_pdfs_is_left_to_the_first_pdf(imported: set[str]) -> None:
    assert not {"weasyprint", "pyhanko"} & imported
