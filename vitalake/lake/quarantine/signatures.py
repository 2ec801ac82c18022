"""With which signature of a well-known kind of file an object begins, as quarantine tells it.

Belongs here: the signatures. Does not belong here: recognising what is read (`vitalake/ecg/readers/formats.py`).

Nothing but a signature is told. Four bytes of a text are a name often enough (`John`, `Anna`), and of a name in
Chinese or Cyrillic letters they are two.
"""

from __future__ import annotations

_SIGNATURES = (
    b"\0\0\0\0",
    b"%PDF",
    b"%!PS",
    b"PK\x03\x04",  # ZIP, and what Office writes
    b"\xd0\xcf\x11\xe0",  # Office before 2007
    b"{\\rt",
    b"\x1f\x8b",  # gzip
    b"BZh",
    b"\xfd7zX",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",  # Zstandard
    b"\x89PNG",
    b"\xff\xd8\xff",  # JPEG
    b"GIF8",
    b"II*\0",
    b"MM\0*",
    b"RIFF",
    b"<?xm",
    b"<!DO",
    b"<htm",
    b"<HTM",
    b"\xef\xbb\xbf",  # byte order marks
    b"\xff\xfe",
    b"\xfe\xff",
    b"PAR1",
    b"SQLi",
    b"\x89HDF",
    b"MATL",
    b"\xffBIO",
    b"0       ",  # EDF
    b"ISHN",
)


def signature_of(data: bytes) -> bytes | None:
    """The signature with which these bytes begin, and no byte of what follows; None where none is known."""
    return next((known[:4] for known in _SIGNATURES if data.startswith(known)), None)
