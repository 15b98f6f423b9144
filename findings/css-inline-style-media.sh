#!/usr/bin/env bash
# css-inline 0.24.0 applies the rules of <style media="print"> to the screen.
#
# It leaves out the rules inside @media, because an attribute cannot say when it holds. The
# attribute media of the style element says the same as @media around its rules (HTML,
# "The style element"), but css-inline does not read it: whatever the attribute says, the
# rules go into the elements' style attributes and hold everywhere. Newsletters keep their
# rules for print and for narrow screens in such elements: text that only the printout
# should hide is hidden from every reader, and the layout for telephones is shown on desks.
#
# The remedy is to remove style elements with a media attribute, or to put @media around
# their rules, before the call. Seen on Python 3.11:
#   @media print:         <p>Listing</p>
#   style media="print":  <p style="display: none;">Listing</p>
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check css-inline==0.24.0

env/bin/python - <<'END' | tee seen
import re

import css_inline

PAGE = "<!DOCTYPE html><html><head>{}</head><body><p>Listing</p></body></html>"


def paragraph(style: str) -> str:
    return re.search("<p.*</p>", css_inline.inline(PAGE.format(style)))[0]


inside = paragraph("<style>@media print { p { display: none } }</style>")
beside = paragraph('<style media="print">p { display: none }</style>')
print("@media print:        ", inside)
print('style media="print": ', beside)
END
if [[ $(head -1 seen) == *"<p>Listing</p>" && $(tail -1 seen) == *"<p style="* ]]; then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
