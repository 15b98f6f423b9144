"""Actions is in charge of everything that may be done to an application, by noun."""

from __future__ import annotations
