"""Forms and form fields of the applicants' and new administrators' pages."""

from __future__ import annotations
