"""The settings in a test environment: state in a folder of its own, nothing shared."""

from __future__ import annotations

import os
import tempfile

os.environ["POSTERN_ENV"] = "test"
os.environ.setdefault("POSTERN_VAR", tempfile.mkdtemp(prefix="postern-test-"))
os.makedirs(os.environ["POSTERN_VAR"], exist_ok=True)

from portal.settings import *  # noqa: E402, F403
