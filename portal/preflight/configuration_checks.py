"""Checks of the configuration, the certificate and the files of this host."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from engine.health.checks import dependency_probes, host_state
from engine.health.process_identity import host
from engine.management import startup_checks
from engine.processes import resource_limits
from engine.secrets import state_folder
from onboarding.letters.letters import to_pdf
from portal.configuration import production_checks
from portal.launcher import preparation
from portal.preflight.results import Result, fault, ok, warning


def configuration() -> Iterator[Result]:
    """Yields each fault of the POSTERN_* variables, and what is probably an oversight."""
    ours = settings.POSTERN
    faults = list(production_checks.faults(ours))
    if ours.env != "production":
        yield warning(
            "configuration",
            f"POSTERN_ENV is {ours.env}. Set POSTERN_ENV=production for a real community.",
        )
        return
    for sentence in faults:
        yield fault("configuration", sentence)
    for sentence in startup_checks.warnings():
        yield warning("configuration", sentence)
    if not faults:
        yield ok("configuration", "Every POSTERN_* variable is fit for production.")
        yield ok("secret key", "It is the community's own and cannot be guessed.")


def certificate() -> Iterator[Result]:
    """Yields whether our certificate, key and authorities load, and for how long."""
    ours = settings.POSTERN
    if not ours.tls_cert_file:
        yield fault("certificate", "Set POSTERN_TLS_CERT_FILE and _KEY_FILE.")
        return
    if found := dependency_probes.certificate_fault():
        yield fault("certificate", found)
        return
    expiry = dependency_probes.certificate_expiry()
    now = datetime.now(UTC)
    ends_at = datetime.fromisoformat(expiry)
    for finding in host_state.findings(host(), {"certificate": expiry}, now):
        show = fault if ends_at <= now else warning
        yield show("certificate", f"{finding.detail} Renew {ours.tls_cert_file}.")
        return
    yield ok(
        "certificate",
        f"{ours.tls_cert_file} belongs to its key, and is valid until "
        f"{ends_at:%-d %B %Y at %H:%M} UTC.",
    )


def state() -> Iterator[Result]:
    """Yields whether POSTERN_VAR is private, writable and has room."""
    folder = settings.POSTERN.path()
    try:
        state_folder.subfolder()
        state_folder.restrict_permissions()
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"Postern")
            file.flush()
            os.fsync(file.fileno())
        found = list(host_state.findings(host(), host_state.disk(), datetime.now(UTC)))
    except (ImproperlyConfigured, OSError) as error:
        yield fault("state folder", f"{error} Correct {folder}, or set POSTERN_VAR.")
        return
    for finding in found:
        yield fault("disk", f"{finding.detail} Make room, or enlarge it.")
    if not found:
        free = host_state.disk()["disk_free"] // 1024**2
        yield ok("state folder", f"{folder} is private and writable; {free} MB free.")


def open_files() -> Iterator[Result]:
    """Yields whether the limit of open files allows the configured connections."""
    ours = settings.POSTERN
    wanted = 3 * (2 * ours.smtp_sessions + ours.pop3_sessions) + 200
    allowed = resource_limits.raise_open_files_limit()
    if allowed < wanted:
        yield warning(
            "open files",
            f"The limit is {allowed}, and {wanted} are needed for all connections. The "
            "unit postern-engine.service sets LimitNOFILE=; a shell may have less.",
        )
    else:
        yield ok("open files", f"Up to {allowed} in each process.")


def static_files() -> Iterator[Result]:
    """Yields whether the website's static files are those of this release."""
    if preparation.are_static_files_current():
        yield ok("static files", "They are those of this release.")
    else:
        yield fault(
            "static files", "They are missing or of another release: postern prepare"
        )


def letters() -> Iterator[Result]:
    """Yields whether PDF letters can be made: Pango is installed, and a font with it."""
    try:
        if not _has_fonts():
            yield fault("letters", "No font is installed. Install fonts-liberation.")
            return
        # Where Pango is missing, importing WeasyPrint fails.
        to_pdf("preflight/letter.html", {})
    except OSError as error:
        yield fault(
            "letters",
            f"{error} Install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0.",
        )
    else:
        yield ok("letters", "A PDF was made.")


class _FontSet(ctypes.Structure):
    """The first fields of FcFontSet (fontconfig 2.14)."""

    _fields_ = [("count", ctypes.c_int), ("allocated", ctypes.c_int)]


def _has_fonts() -> bool:
    """Returns whether fontconfig knows a font: Pango crashes where it knows none.

    Raises OSError where fontconfig is not installed.
    """
    library = ctypes.CDLL("libfontconfig.so.1")
    library.FcInitLoadConfigAndFonts.restype = ctypes.c_void_p
    library.FcConfigGetFonts.restype = ctypes.POINTER(_FontSet)
    library.FcConfigGetFonts.argtypes = [ctypes.c_void_p, ctypes.c_int]
    system_fonts = 0
    found = library.FcConfigGetFonts(library.FcInitLoadConfigAndFonts(), system_fonts)
    return bool(found) and found.contents.count > 0
