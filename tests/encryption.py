"""Switches encryption at rest on for a test."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from pytest_django.fixtures import Settings

from engine.encryption import master_keys, organisation_keys

MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()

# A KMS that masks by XOR, and is away while the file `away` is beside it.
KMS = """#!/usr/bin/env python3
import os, sys
with open(os.path.join({folder!r}, "calls"), "a") as calls:
    calls.write(sys.argv[1] + "\\n")
if os.path.exists(os.path.join({folder!r}, "away")):
    sys.exit("the KMS is away")
sys.stdout.buffer.write(bytes(octet ^ 0x5A for octet in sys.stdin.buffer.read()))
"""


def switched_on(settings: Settings, **over: object) -> Iterator[None]:
    """Encrypts what is stored meanwhile, under MASTER_KEY unless told otherwise."""
    values = {"encryption": True, "master_key": MASTER_KEY} | over
    settings.POSTERN = settings.POSTERN.model_copy(update=values)
    organisation_keys.forget_all()
    forget_failure()
    yield
    organisation_keys.forget_all()
    forget_failure()


def kms(folder: Path) -> str:
    """Makes a KMS in the folder; returns its command."""
    command = folder / "kms"
    command.write_text(KMS.format(folder=str(folder)))
    command.chmod(0o700)
    return str(command)


def forget_failure() -> None:
    """Lets a KMS that failed be asked again at once."""
    master_keys.CommandKey._silent_until = 0.0
