"""The second factor: one-time codes, passkeys, sealed secrets and who needs one."""

from __future__ import annotations
