from __future__ import annotations

from hypothesis import settings

# The same examples every time, and no clock: other work may share the machine.
settings.register_profile(
    "mail", deadline=None, database=None, derandomize=True, max_examples=60
)
settings.load_profile("mail")
