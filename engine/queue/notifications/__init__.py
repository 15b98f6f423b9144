"""Mail that the service itself sends: delivery status notifications, alerts and notices."""

from __future__ import annotations
