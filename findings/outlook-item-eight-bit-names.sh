#!/usr/bin/env bash
# msg_parser 1.2.0 reads the eight-bit names of attachments in an Outlook item (.msg) as
# UTF-16: "Bundle of papers.pdf" comes out as ten other characters, most of
# them Chinese, and without an ending.
#
# [MS-OXMSG] lets an item keep text in either of two forms, and the last four digits of a
# property's stream say which: 001E eight-bit, 001F UTF-16. independentsoft.msg 1.6, which
# writes items, chooses 001E; msg_parser 1.2.0, which reads them, decodes both alike.
# Neither reports anything. olefile 0.47 shows what is stored.
#
# The remedy is to decode each name by those digits. Seen on Python 3.11:
#   stored: __substg1.0_3707001E b'Bundle of papers.pdf'
#   read:    '\u7542\u646e\u656c\u6f20\u2066\u6170\u6570\u7372\u702e\u6664'
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  independentsoft.msg==1.6 msg_parser==1.2.0 olefile==0.47
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import olefile
from independentsoft.msg import Attachment, Message
from msg_parser import MsOxMessage

NAME = "Bundle of papers.pdf"

attached = Attachment(buffer=b"%PDF-1.7\n")
attached.file_name = attached.long_file_name = NAME
item = Message()
item.subject = "The papers"
item.body = "Good morning"
item.attachments.append(attached)
item.save("papers.msg")

[path] = [
    path for path in olefile.OleFileIO("papers.msg").listdir() if "_3707" in path[-1]
]
stored = olefile.OleFileIO("papers.msg").openstream(path).read()
[found] = MsOxMessage("papers.msg").attachments
read = found.AttachLongFilename

print("stored:", path[-1], stored)
print("read:   ", ascii(read))
holds = (
    path[-1].endswith("001E")
    and stored.rstrip(b"\0") == NAME.encode("ascii")
    and read.rstrip("\0") == NAME.encode("ascii").decode("utf-16-le")
)
print("As described" if holds else "It has changed")
sys.exit(not holds)
PYTHON
