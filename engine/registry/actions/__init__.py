"""Actions: every change to the registry, one noun a module, atomic and audited."""

from __future__ import annotations
