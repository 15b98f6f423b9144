#!/usr/bin/env python
"""Django's entry."""

from __future__ import annotations

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # Imports leave half a million objects: looking through them as often as Python does by
    # itself takes a seventh of every start. What serves sets its own threshold afterwards.
    gc.set_threshold(200_000, 20, 20)
    # State is for this user alone; engine.secrets.state_folder says the same of each file it makes.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # Its message says what to set; the traceback would hide it.
        sys.exit(str(error))
