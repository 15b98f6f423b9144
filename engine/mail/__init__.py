"""Mail is in charge of the words of mail in plain Python: addresses, envelopes, headers, replies and notices."""

from __future__ import annotations
