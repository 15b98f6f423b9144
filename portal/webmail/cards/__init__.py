"""Cards is in charge of address books as files: vCard and CSV, in and out."""

from __future__ import annotations
