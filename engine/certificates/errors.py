from __future__ import annotations


class NotVerifiedError(ValueError):
    """A file is no certificate that proves anything; the text says why to its reader."""


UNKNOWN = "This file is not a delivery certificate as we make them, PDF or JSON."
CHANGED = (
    "This file is not as it was when it was signed: something in it was changed, added or "
    "cut off."
)
NOT_OURS = "None of this community’s keys has signed this file."
COMPROMISED = (
    "This file is signed with a key that others may have had since {since}, so that the "
    "signature alone proves nothing. Have the file verified on the community’s page."
)
