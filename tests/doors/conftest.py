from __future__ import annotations

from tests.portal.conftest import signed_in

__all__ = ["signed_in"]
