#!/usr/bin/env bash
# WeasyPrint 70.0 raises an exception beside Exception where a strict fetcher fails.
#
# URLFetcher(fail_on_errors=True) stops a document whose picture cannot be fetched. Called
# by itself, the fetcher raises ValueError for a protocol that is not allowed; from
# write_pdf() the same comes as FatalURLFetchingError, whose base is BaseException. A job
# queue or a web server that catches Exception around the rendering of a page does not
# catch it: the thread or the process ends. Without fail_on_errors the picture is left out
# and the reason is logged.
#
# Seen on Python 3.11:
#   fetch ValueError Exception
#   write_pdf FatalURLFetchingError BaseException
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check weasyprint==70.0

env/bin/python - <<'END' | tee seen
from weasyprint import HTML
from weasyprint.urls import URLFetcher

fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
page = HTML(
    string='<img src="https://pictures.example/one.png" alt="">', url_fetcher=fetcher
)
for name, ask in {
    "fetch": lambda: fetcher.fetch("https://pictures.example/one.png"),
    "write_pdf": page.write_pdf,
}.items():
    try:
        ask()
    except BaseException as error:
        base = "Exception" if isinstance(error, Exception) else "BaseException"
        print(name, type(error).__name__, base)
END
if diff seen - <<'END'
fetch ValueError Exception
write_pdf FatalURLFetchingError BaseException
END
then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
