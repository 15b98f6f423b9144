"""Spectral and Redocly, which check an OpenAPI document by their recommended rules."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.peers import node

SPECTRAL = Path("@stoplight/spectral-cli/dist/index.js")
REDOCLY = Path("@redocly/cli/bin/cli.js")
RULES = Path(__file__).parent
# It would otherwise look for a newer version of itself, and report what it was used for.
QUIET = {
    **os.environ,
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
}


def spectral(document: Path) -> list[str]:
    """Returns what it reports, errors and warnings alike."""
    rules = RULES / "spectral.yaml"
    said = node.call(SPECTRAL, "lint", document, "-r", rules, "-f", "json", "-q")
    found = json.loads(said[: said.rindex("]") + 1])
    return [f"{one['code']} {one['path']}: {one['message']}" for one in found]


def redocly(document: Path) -> list[str]:
    """Returns what it reports, errors and warnings alike."""
    rules = RULES / "redocly.yaml"
    said = node.call(
        REDOCLY, "lint", document, f"--config={rules}", "--format=json", env=QUIET
    )
    found = json.loads(said[said.index("{") :])["problems"]
    return [
        f"{one['ruleId']} {one['location'][0].get('pointer')}: {one['message']}"
        for one in found
    ]
