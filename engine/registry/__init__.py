"""The registry: who exists, what each may do, and how each proves who they are."""

from __future__ import annotations
