"""Copies the pages' assets from node_modules, without GOV.UK's typeface and crest.

The stylesheets point at absolute /assets/ addresses and at source maps that are not
served. GDS Transport and the crest are licensed for services on GOV.UK only, so
neither is ever copied, and no rule that names them is kept.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

GOVUK = Path("govuk-frontend/dist/govuk")
MOJ = Path("@ministryofjustice/frontend/moj")
# What the writing page edits formatted text with, and cleans what is pasted into it.
EDITOR = (Path("squire-rte/dist/squire.js"), Path("dompurify/dist/purify.min.js"))

_FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
_TYPEFACE = re.compile(r"(font-family:)\s*\"?GDS Transport\"?,\s*arial,\s*sans-serif")
_CREST = re.compile(r"url\(\"?/assets/images/[^)]*(?:crest|crown)[^)]*\)")
_ASSET = re.compile(r"url\(\"?/assets/images/([^)\"]+)\"?\)")
_SOURCE_MAP = re.compile(r"(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S+)")


class MissingPackagesError(Exception):
    """node_modules is missing or incomplete."""


def collect(node_modules: Path, target: Path) -> list[Path]:
    """Replaces the content of `target`, and returns the files it then holds.

    Raises MissingPackagesError if the packages have not been installed.
    """
    needed = (GOVUK, MOJ, *EDITOR)
    if not all((node_modules / path).exists() for path in needed):
        raise MissingPackagesError(
            f"{node_modules} lacks what the pages are made of: run `npm ci` first."
        )
    shutil.rmtree(target, ignore_errors=True)
    _stylesheet(node_modules / GOVUK / "govuk-frontend.min.css", target / "govuk")
    _stylesheet(node_modules / MOJ / "moj-frontend.min.css", target / "moj")
    _script(node_modules / GOVUK / "govuk-frontend.min.js", target / "govuk")
    for script in EDITOR:
        _script(node_modules / script, target / "editor")
    return sorted(path for path in target.rglob("*") if path.is_file())


def _stylesheet(source: Path, target: Path) -> None:
    """Writes the stylesheet, and the images that it refers to beside it."""
    css = _neutral(source.read_text(encoding="utf-8"))
    (target / "images").mkdir(parents=True, exist_ok=True)
    for name in set(_ASSET.findall(css)):
        shutil.copyfile(
            source.parent / "assets/images" / name, target / "images" / name
        )
    css = _ASSET.sub(r"url(images/\1)", css)
    (target / source.name).write_text(css, encoding="utf-8")


def _neutral(css: str) -> str:
    css = _SOURCE_MAP.sub("", _FONT_FACE.sub("", css))
    css = _TYPEFACE.sub(r"\1var(--postern-typeface,arial,sans-serif)", css)
    return _CREST.sub("none", css)


def _script(source: Path, target: Path) -> None:
    script = _SOURCE_MAP.sub("", source.read_text(encoding="utf-8"))
    target.mkdir(parents=True, exist_ok=True)
    (target / source.name).write_text(script, encoding="utf-8")
