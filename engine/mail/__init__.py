"""The formats of mail in plain Python: addresses, headers, MIME, DKIM, DSNs, SMTP replies."""

from __future__ import annotations
