"""Messages written by other mail programs, sent in and compared leaf by leaf."""

from __future__ import annotations
