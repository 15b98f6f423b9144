"""The README beside the backups: what else an operator must keep."""

from __future__ import annotations

FILE = "README.txt"
TEXT = """\
Backups of a Postern service
============================

backups/NAME holds one backup: manifest.json says what it contains. A folder without one
is of a backup that was interrupted; the next backup does not need it. blobs/ holds message
bodies and other files once for all backups. Do not delete anything there by hand.

Restore into an empty host, with the same or a later version of Postern. Where this is a
folder:

    postern restore THIS_FOLDER

Where it is a bucket, set POSTERN_BACKUP_TARGET to its URL, and run:

    postern restore

Mail in here is readable by everyone who can read the backups, unless the service encrypts
it at rest. Keep them as private as the service itself.

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
