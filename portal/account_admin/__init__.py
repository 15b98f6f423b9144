"""Changes to other people's accounts: by administrators of an organisation, and by staff.

The organisation's pages and the console offer the same actions, under the same policies;
each adds only its frame. What people do to their own account is in `portal.account`.
"""

from __future__ import annotations
