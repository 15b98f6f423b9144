"""What accepting a message costs, beside another version: `speed` with that traffic alone.

python -m tests.benchmarks.accept --beside COMMIT

The messages have an rsa-2048 signature of the sender's domain, which a local zone answers
for. With `--only accept` they have none.
"""

from __future__ import annotations

import sys

from tests.benchmarks import ready, speed
from tests.peers.process import remove_folder

if __name__ == "__main__":
    try:
        sys.argv[1:1] = ["--only", "signed"]
        speed.main()
    finally:
        remove_folder(ready.FOLDER)
