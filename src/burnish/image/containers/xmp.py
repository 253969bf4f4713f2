"""An XMP packet: carried as it is, but for what it promises and the file does not hold any more."""

import re

C2PA = "its C2PA credentials: their signature does not hold for changed pixels"
_PROVENANCE = re.compile(
    rb"""\s+dcterms:provenance\s*=\s*("[^"]*"|'[^']*')|\s*<dcterms:provenance\b[^>]*?(/>|>.*?</dcterms:provenance>)""", re.S
)


def without_provenance(packet: bytes) -> bytes:
    """The packet without the place of C2PA credentials (C2PA 2.0, "Embedding manifests"), which do not hold for changed pixels."""
    return _PROVENANCE.sub(b"", packet)
