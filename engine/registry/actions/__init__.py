"""Actions is in charge of every change to the registry: one noun a module, verbs inside."""

from __future__ import annotations
