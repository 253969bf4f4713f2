"""An XMP packet: carried as it is, but for what it promises and the file does not hold any more."""

import re

C2PA = "its C2PA credentials: their signature does not hold for changed pixels"
_PROVENANCE = re.compile(
    rb"""\s+dcterms:provenance\s*=\s*("[^"]*"|'[^']*')|\s*<dcterms:provenance\b[^>]*?(/>|>.*?</dcterms:provenance>)""", re.S
)


def without_provenance(packet: bytes) -> bytes:
    """The packet without the place of C2PA credentials (C2PA 2.0, "Embedding manifests"), which do not hold for changed pixels."""
    return _PROVENANCE.sub(b"", packet)


# What says that more stands behind a JPEG's picture, or in further segments: a video, a gain map, a second picture, more XMP.
_PROMISES = rb"(?:[\w.-]+:(?:MicroVideo\w*|MotionPhoto\w*|HasExtendedXMP|HDRGainMap\w*)|hdrgm:\w+)"
_PROMISED = re.compile(
    rb"""\s+%(name)s\s*=\s*("[^"]*"|'[^']*')|\s*<(?P<element>%(name)s|[\w.-]+:Directory)\b[^>]*?(/>|>.*?</(?P=element)\s*>)"""
    % {b"name": _PROMISES},
    re.S,
)


def without_promises(packet: bytes) -> bytes:
    """The packet without what it says of data behind the picture or in further segments, for a file that has no place for them."""
    return without_provenance(_PROMISED.sub(b"", packet))
