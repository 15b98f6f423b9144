"""The settings in a test environment: state in a folder of its own, nothing shared."""

from __future__ import annotations

import os
import tempfile

os.environ["POSTERN_ENV"] = "test"
folder = os.environ.get("POSTERN_VAR") or tempfile.mkdtemp(prefix="postern-test-")
# Each worker of pytest-xdist keeps its state to itself, shared with what it starts.
worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if os.path.basename(folder) != worker:
    folder = os.path.join(folder, worker)
os.environ["POSTERN_VAR"] = folder
os.makedirs(os.environ["POSTERN_VAR"], exist_ok=True)
# WhiteNoise warns about a folder that is not there, and warnings are errors.
os.makedirs(os.path.join(os.environ["POSTERN_VAR"], "static"), exist_ok=True)

from portal.settings import *  # noqa: E402, F403

# Refused at once: no message waits for name servers that a test does not have.
POSTERN.dns_servers = ["127.0.0.1:9"]  # noqa: F405

INSTALLED_APPS = [*INSTALLED_APPS, "tests.fast_flush"]  # noqa: F405
