from __future__ import annotations

from hypothesis import settings

# The same examples every time, and no deadline: the machine may be busy.
settings.register_profile(
    "mail", deadline=None, database=None, derandomize=True, max_examples=60
)
settings.load_profile("mail")
