from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

# State is for this user alone; engine.state says the same of each file it makes.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()
