"""A JPEG that is already what a pair needs is kept as it is, less what does not belong to the picture.

Coding it again, losslessly, would cost more than some degradations, and three times the room. What is copied is what a
decoder needs (ITU-T T.81: tables, frame, scans; JFIF and Adobe's colour transform); EXIF with its camera and place, profiles,
previews, comments, and whatever follows the end of the picture are left behind.
"""

from __future__ import annotations

import re

START, END, SCAN = 0xD8, 0xD9, 0xDA
JFIF, ADOBE = 0xE0, 0xEE
BARE_JFIF = 16  # bytes of an APP0 segment that holds no thumbnail
NEEDED = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, SCAN}  # baseline, extended and progressive frames; tables; restarts
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the first marker that is not part of coded data


def bare_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG file with the same pixels and nothing else in it; None where its structure is not a plain one."""
    if data[:2] != b"\xff\xd8":
        return None
    kept, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == END:
            kept.append(data[at : at + 2])
            return b"".join(kept)
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if marker == SCAN:
            found = _AFTER_SCAN.search(data, end)
            if found is None:
                return None
            end = found.start()
        if marker in NEEDED or marker == ADOBE or (marker == JFIF and length == BARE_JFIF):
            kept.append(data[at:end])
        elif not 0xE0 <= marker <= 0xEF and marker != 0xFE:
            return None  # arithmetic coding, hierarchies, a thumbnail in the way: decoded and stored losslessly instead
        at = end
    if data[at : at + 2] == b"\xff\xd9":
        return b"".join([*kept, data[at : at + 2]])
    return None
