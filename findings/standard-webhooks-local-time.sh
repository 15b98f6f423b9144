#!/usr/bin/env bash
# standardwebhooks 1.1.0 signs another moment than the one it is given, unless the time is
# in UTC.
#
# Webhook.sign() takes a datetime, and replaces its time zone by UTC instead of converting
# it: 15:30+01:00 is signed as 15:30 UTC. The header webhook-timestamp, which the caller
# writes from the same datetime, says 14:30 UTC. No receiver can verify the signature, and
# neither can the library itself, although neither call reports anything. On a server whose
# clock shows UTC, and in winter in London, all is well.
#
# The remedy is to convert before the call: timestamp.astimezone(timezone.utc).
# Seen on Python 3.11:
#   UTC:        verified
#   UTC+01:00:  No matching signature found
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0

env/bin/python - <<'END' | tee seen
from datetime import datetime, timedelta, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

hook = Webhook(b"a secret of twenty-four b")
body = '{"type": "message.delivered"}'
now = datetime.now(timezone.utc)


def result(sent_at: datetime) -> str:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": hook.sign("msg_1", sent_at, body),
    }
    try:
        hook.verify(body, headers)
    except WebhookVerificationError as error:
        return str(error)
    return "verified"


print("UTC:       ", result(now))
print("UTC+01:00: ", result(now.astimezone(timezone(timedelta(hours=1)))))
END
if [[ $(head -1 seen) == *verified && $(tail -1 seen) == *"No matching signature found" ]]; then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
