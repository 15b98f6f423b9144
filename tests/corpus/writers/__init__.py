"""One module for each program: it starts the program and returns what it wrote."""

from __future__ import annotations
