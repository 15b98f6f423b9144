"""Actions is in charge of what a person does while they write: drafts, files, sending, contacts."""

from __future__ import annotations
