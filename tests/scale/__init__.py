"""Every list of the site and of the API, at the size of a whole country.

`python -m tests.scale` fills a PostgreSQL cluster with 10,000 organisations, 478,000
people and a million messages, or takes one that was filled before (`--keep FOLDER`). It
requests each page as a person who may see it and prints how long that took; `starts`
measures the engine's and the website's start instead.
"""

from __future__ import annotations
