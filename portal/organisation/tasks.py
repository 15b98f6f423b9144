"""Earlier paths of background jobs, which may still be in the queue after an upgrade."""

from __future__ import annotations

from portal.account_admin.tasks import send_invitation

__all__ = ["send_invitation"]
