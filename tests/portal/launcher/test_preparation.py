"""What a fork of `manage.py up` must know of what was prepared after the imports."""

from __future__ import annotations

import json
from pathlib import Path

from django.core.files.storage import storages
from django.templatetags.static import static

from portal.launcher import preparation


def test_static_files_collected_after_the_imports_are_found(
    settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        }
    }
    assert storages["staticfiles"].hashed_files == {}
    names = {"postern/mark.svg": "postern/mark.1234.svg"}
    manifest = {"version": "1.1", "paths": names, "hash": "1"}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))

    preparation.use_collected_files()

    assert static("postern/mark.svg") == "/static/postern/mark.1234.svg"
