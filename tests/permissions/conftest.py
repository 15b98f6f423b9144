from __future__ import annotations

from tests.engine.antivirus.conftest import clamd
from tests.portal.conftest import signed_in
from tests.portal.guides.conftest import shelf

__all__ = ["clamd", "shelf", "signed_in"]
