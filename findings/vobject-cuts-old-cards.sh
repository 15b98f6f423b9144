#!/usr/bin/env bash
# vobject 0.9.9 garbles valid vCard 2.1, without an error.
#
# It reads every card as vCard 3.0. There, a comma that separates no values is escaped; in
# 2.1 it is not, and only the semicolon is special. So the text of a 2.1 card ends at its
# first comma: "Jones, Jane", which is how Outlook may file names, becomes "Jones".
#
# And parameter values are the same in any case, but "quoted-printable" is known in
# capitals only. In small letters it is taken for base64, and the value becomes octets.
#
# The remedy is to read single lines with vobject.base.textLineToContentLine(), with the
# word in capitals, and to undo the escapes of each version oneself. Seen on Python 3.11:
#   FN 'Jones'
#   NOTE 'Calls back'
#   TITLE b'q\xa7'
#   line 'Calls back, after four'
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check vobject==0.9.9

env/bin/python - <<'END' | tee seen
import vobject
from vobject.base import textLineToContentLine

CARD = "\r\n".join(
    [
        "BEGIN:VCARD",
        "VERSION:2.1",
        "N:Jones;Jane",
        "FN:Jones, Jane",
        "NOTE:Calls back, after four",
        "TITLE;ENCODING=quoted-printable;CHARSET=windows-1252:caf=E9",
        "END:VCARD",
        "",
    ]
)

card = vobject.readOne(CARD, allowQP=True)
print("FN", repr(card.fn.value))
print("NOTE", repr(card.note.value))
print("TITLE", repr(card.title.value))
print("line", repr(textLineToContentLine("NOTE:Calls back, after four").value))
END
if diff seen - <<'END'
FN 'Jones'
NOTE 'Calls back'
TITLE b'q\xa7'
line 'Calls back, after four'
END
then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
