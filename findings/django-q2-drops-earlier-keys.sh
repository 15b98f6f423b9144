#!/usr/bin/env bash
# django-q2 1.11.1 does not verify jobs with Django's SECRET_KEY_FALLBACKS, and removes
# from the queue what it cannot verify.
#
# Django's signer takes the current key and the fallbacks, so that the secret key can be
# exchanged while signed values are in use. django-q2 signs its jobs with a signer of its
# own, which passes only the current key to Django's. A job that was queued under the
# earlier key has a bad signature, and with the ORM as its broker the row is deleted: the
# job is gone, with one line in the log.
#
# The remedy is to let the queue run empty before the key is exchanged, or to read waiting
# jobs and sign them again.
# Seen on Python 3.11 with Django 5.2.19:
#   Django:     {'for': 'jane'}
#   django-q2:  BadSignature
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/pip install --quiet django==5.2.19 django-q2==1.11.1

run() { # signs with the earlier key, then reads with the new one
  env/bin/python -W ignore - "$1" <<'END'
import sys

import django
from django.conf import settings

EARLIER = "the earlier key, of more than thirty-two letters"
NEW = "the new key, also of more than thirty-two letters"
is_signing = sys.argv[1] == "sign"
settings.configure(
    SECRET_KEY=EARLIER if is_signing else NEW,
    SECRET_KEY_FALLBACKS=[] if is_signing else [EARLIER],
    INSTALLED_APPS=["django_q"],
    Q_CLUSTER={"name": "one", "orm": "default"},
)
django.setup()

from django.core import signing
from django_q.signing import BadSignature, SignedPackage

if is_signing:
    job = {"for": "jane"}
    open("by-django", "w").write(signing.dumps(job))
    open("by-django-q2", "w").write(SignedPackage.dumps(job))
else:
    print("Django:    ", signing.loads(open("by-django").read()))
    try:
        print("django-q2: ", SignedPackage.loads(open("by-django-q2").read()))
    except (BadSignature, signing.BadSignature):
        print("django-q2:  BadSignature")
END
}

run sign
run read | tee seen
if [[ $(tail -1 seen) == "django-q2:  BadSignature" && $(head -1 seen) == *jane* ]]; then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
