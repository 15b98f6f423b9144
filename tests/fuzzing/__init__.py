"""Coverage-guided fuzzing of the parsers that strangers reach; no part of the normal suite.

`python -m tests.fuzzing` lists the targets, `python -m tests.fuzzing proxy --seconds 60`
runs one, and `--planted` runs it on a copy of the parser with a fault, which must be found.
"""

from __future__ import annotations
