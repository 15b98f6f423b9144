"""The actions on tickets: open, answer, note, change status, assign, classify, merge."""

from __future__ import annotations
