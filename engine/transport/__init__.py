"""Transport is in charge of the ways out: into a mailbox, to a next hop, to the world outside for notices."""

from __future__ import annotations
