#!/usr/bin/env bash
# Reading a Django 5.2 setting whose value is a pydantic model takes ten times as long as
# another setting.
#
# `settings` is a LazyObject, and its __getattribute__ asks each value that it returns for
# `_mask_wrapped`, which only its own methods have. pydantic 2's BaseModel has a __getattr__
# in Python for names that are not found, which looks through its private attributes and
# formats an AttributeError. A service that keeps its configuration as one model in one
# setting pays for that at every access.
#
# The remedy is to give the model the attribute: `_mask_wrapped: ClassVar[bool] = True`.
# Seen on Python 3.11: 0.2 us with it, 2 us without.
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check \
  django==5.2.19 pydantic==2.14.3

env/bin/python - <<'END'
import sys
import timeit
from typing import ClassVar

from django.conf import settings
from pydantic import BaseModel


class Without(BaseModel):
    port: int = 25


class With(BaseModel):
    _mask_wrapped: ClassVar[bool] = True
    port: int = 25


settings.configure(WITHOUT=Without(), WITH=With())
times = {}
for name in ("WITHOUT", "WITH"):
    runs = timeit.repeat(lambda: getattr(settings, name), number=100_000, repeat=3)
    times[name] = min(runs) * 10
    print(f"{name.lower():8} {times[name]:.2f} us")
if times["WITHOUT"] > 3 * times["WITH"]:
    print("As described")
else:
    print("It has changed")
    sys.exit(1)
END
