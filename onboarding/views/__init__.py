"""The public pages of applicants, sponsors, signatories and new administrators."""

from __future__ import annotations
