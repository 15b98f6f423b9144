from __future__ import annotations

from tests.engine.antivirus.conftest import clamd
from tests.portal.conftest import signed_in
from tests.portal.guides.conftest import guide_folder

__all__ = ["clamd", "guide_folder", "signed_in"]
