from __future__ import annotations

import os

import django

# State is for this user alone; engine.secrets.state_folder says the same of each file it makes.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after they are set up

from portal.serving.asgi_handler import Site  # noqa: E402

application = Site(settings.POSTERN.web_threads)
