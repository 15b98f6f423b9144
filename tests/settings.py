"""The settings in a test environment: state in a folder of its own, nothing shared."""

from __future__ import annotations

import os
import tempfile

os.environ["POSTERN_ENV"] = "test"
os.environ.setdefault("POSTERN_VAR", tempfile.mkdtemp(prefix="postern-test-"))
# WhiteNoise warns about a folder that is not there, and warnings are errors.
os.makedirs(os.path.join(os.environ["POSTERN_VAR"], "static"), exist_ok=True)

from portal.settings import *  # noqa: E402, F403
