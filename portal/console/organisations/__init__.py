"""Console pages about organisations: domains, connections, mailboxes, lists and records.

What an administrator can do on the organisation's own pages is linked, not repeated.
"""

from __future__ import annotations
