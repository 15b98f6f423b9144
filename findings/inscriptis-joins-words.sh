#!/usr/bin/env bash
# inscriptis 2.7.6, which lays HTML out as text, joins the words of neighbouring blocks:
# <dt>Court</dt><dd>Northgate</dd> comes out as "CourtNorthgate".
#
# Its table of elements that begin a new line has div, article, main and others, but not
# section, form, fieldset, legend, details, summary, center, dl, dt and dd, all of which
# browsers display as blocks (HTML, "Rendering"). Mail made by web editors has them
# on one line without white space between, so that the text of one runs into the next; a
# search for either word then finds nothing.
#
# The remedy is a table of one's own, in ParserConfig(css=...). Seen on Python 3.11:
#   div:      ['Court', 'Northgate']
#   section:  ['CourtNorthgate']
#   center:   ['CourtNorthgate']
#   dl:       ['CourtNorthgate']
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check inscriptis==2.7.6

env/bin/python - <<'END' | tee seen
from inscriptis import get_text

PAGE = "<!DOCTYPE html><html><body>{}</body></html>"
BLOCKS = {
    "div": "<div>Court</div><div>Northgate</div>",
    "section": "<section>Court</section><section>Northgate</section>",
    "center": "<center>Court</center><center>Northgate</center>",
    "dl": "<dl><dt>Court</dt><dd>Northgate</dd></dl>",
}

for name, blocks in BLOCKS.items():
    print(f"{name + ':':9}", get_text(PAGE.format(blocks)).split())
END
if diff seen - <<'END'
div:      ['Court', 'Northgate']
section:  ['CourtNorthgate']
center:   ['CourtNorthgate']
dl:       ['CourtNorthgate']
END
then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
