"""Authentication of mail clients, servers and API keys, and recovery of accounts.

Passwords for the website are Django's; what is here are generated secrets, which alone
open SMTP, POP3 and the API.
"""

from __future__ import annotations
