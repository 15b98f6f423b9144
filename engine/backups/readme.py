"""The README of a folder of backups: what else an operator must keep."""

from __future__ import annotations

TEXT = """\
Backups of a Postern service
============================

backups/NAME holds one backup: manifest.json says what it contains. A folder without one
is of a backup that was interrupted; the next backup does not need it. blobs/ holds message
bodies and other files once for all backups. Do not delete anything there by hand.

Restore into an empty host, with the same or a later version of Postern:

    python manage.py restore THIS_FOLDER

Mail in here is readable by everyone who can read this folder, unless the service encrypts
it at rest. Keep it as private as the service itself.

NOT in here, and needed for a restore. Keep them elsewhere, encrypted:

  - the configuration: every POSTERN_* variable, above all POSTERN_SECRET_KEY and
    POSTERN_SECRET_KEY_FALLBACKS. Without them second factors, webhook secrets, app
    passwords, connections' passwords and API keys are worthless, and members must be
    given new ones.
  - the master key of encryption at rest, where it is set up. Without it encrypted mail
    cannot be read by anyone.
  - the TLS certificate, its key and the authorities that the service trusts.
  - the DKIM keys of the community's domains.
"""
