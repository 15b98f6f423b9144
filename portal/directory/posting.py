"""Who may write to a distribution list, in a sentence."""

from __future__ import annotations

from engine.registry.models import DistributionList, Posting


def posting_sentence(row: DistributionList) -> str:
    sentences = {
        Posting.MEMBERS: "Only its members may write to this list.",
        Posting.ORGANISATION: f"Everyone in {row.organisation} may write to this list.",
        Posting.COMMUNITY: "Everyone in the community may write to this list.",
        Posting.NAMED: "Only the people its owner has named may write to this list.",
    }
    return sentences[Posting(row.posting)]
