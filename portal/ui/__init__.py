"""What all screens share: GOV.UK components, forms, confirmation, pagination, formats."""

from __future__ import annotations
