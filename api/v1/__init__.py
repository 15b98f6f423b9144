"""V1 is in charge of the first version of the API, one resource a file."""

from __future__ import annotations
