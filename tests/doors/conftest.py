from __future__ import annotations

from tests.portal.conftest import signed_in
from tests.portal.guides.conftest import shelf

__all__ = ["shelf", "signed_in"]
