"""The encoding of delimited text: whatever it is, what is read on is UTF-8."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from bulkhooks.errors import InputError
from bulkhooks.sheets.strings import AROUND

_PIECE = 1 << 20
"""So many bytes are looked at, or changed, at a time."""
_END = b"\x1a"
"""The end of a file, as DOS marked it."""
_MOST_LOOKED_AT = 1 << 16
"""Bytes of lines that are not UTF-8 by which their encoding is found."""
_WESTERN = "cp1252"
_LIKELY = 0.6
"""Windows-1252, what most programs write, is taken where the likeliest encoding is not much likelier than it."""
_GUESSED = 0.02
"""A smaller likelihood tells nothing."""


@dataclass(slots=True)
class Text:
    """Delimited text as UTF-8. ``lines``: how many there are, those within quotes among them. ``has_spaced_quote``:
    a quote stands behind a space somewhere.

    ``legacy`` is the encoding of what was not UTF-8 ('' where all was), and ``is_mixed`` tells that all else was;
    ``legacy_at`` are positions in ``file``: where such bytes begin in each line that has them, or, where the whole text
    was read otherwise, in the first one alone.
    """

    file: BinaryIO
    is_ascii: bool = True
    lines: int = 0
    has_spaced_quote: bool = False
    legacy: str = ""
    legacy_at: list[int] = field(default_factory=list)
    is_mixed: bool = False


def as_utf8(label: str, file: BinaryIO) -> Text:
    """UTF-8 as it is, with or without a byte order mark; UTF-16 likewise, and any other encoding, as UTF-8.

    Where all but a few lines are UTF-8, only the bytes that are not are read as Windows-1252. Raises ``InputError``
    where there is nothing in it, or where UTF-16 is damaged.
    """
    if wide := _utf_16(file):
        try:
            file = _changed(file, wide)
        except UnicodeError:
            raise InputError(f"{label}: begins as UTF-16 text and goes on as something else; save it again") from None
    look = _Look(file)
    found = look.found
    if look.is_legacy:
        legacy = _legacy(file)
        look = _Look(legacy.file)
        found = replace(look.found, legacy=legacy.legacy, legacy_at=legacy.legacy_at, is_mixed=legacy.is_mixed)
    if look.is_blank:
        raise InputError(f"{label}: the file is empty")
    if look.has_end_mark:
        found.file.seek(0)
        found.file = io.BytesIO(found.file.read().rstrip(_END))
    return found


def _utf_16(file: BinaryIO) -> str:
    """The kind of UTF-16, also without a byte order mark: half the bytes of what is mostly ASCII are zero then."""
    file.seek(0)
    start = file.read(4096)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = start[::2].count(0), start[1::2].count(0)
    few, many = sorted((first, second))
    if many <= len(start) / 8 or few > many / 16:
        return ""
    return "utf-16-le" if second > first else "utf-16-be"


def _changed(file: BinaryIO, encoding: str, errors: str = "strict") -> BinaryIO:
    """The text in this encoding as UTF-8, of which no more than a piece exists in both."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    made = io.BytesIO()
    while piece := file.read(_PIECE):
        made.write(decoder.decode(piece).encode("utf-8", "replace"))
    made.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    return made


class _Look:
    """What kind of text a file holds, found without holding all of it. ``is_legacy``: it is not all UTF-8."""

    def __init__(self, file: BinaryIO) -> None:
        self.found = Text(file)
        self.is_blank = True
        self.is_legacy = self.has_end_mark = False
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        line_ends = {b"\n": 0, b"\r": 0}
        before = b""
        try:
            while piece := file.read(_PIECE):
                is_ascii = self._note(before, piece)
                line_ends[b"\n"] += piece.count(b"\n")
                if not line_ends[b"\n"]:
                    line_ends[b"\r"] += piece.count(b"\r")
                before = piece[-1:]
                if not is_ascii or decoder.getstate()[0] or self.is_blank:
                    text = decoder.decode(piece)
                    self.is_blank = self.is_blank and not text.strip(AROUND)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.is_legacy = True
        self.has_end_mark = before == _END
        self.found.lines = (line_ends[b"\n"] or line_ends[b"\r"]) + (before not in line_ends)

    def _note(self, before: bytes, piece: bytes) -> bool:
        """Take down what is in a piece (``before``: the byte before it); returns whether it is ASCII."""
        is_ascii = piece.isascii()
        self.found.is_ascii = self.found.is_ascii and is_ascii
        if b'"' in piece and not self.found.has_spaced_quote:  # one byte is found much faster than two
            self.found.has_spaced_quote = b' "' in piece or before + piece[:1] == b' "'
        return is_ascii


def _legacy(file: BinaryIO) -> Text:
    """Text that is not all UTF-8, read in the encoding in which the rest probably is."""
    good, bad, grown, starts, sample = 0, 0, 0, list[int](), bytearray()
    for start, line in _lines(file):
        if line.isascii():
            continue
        try:
            line.decode()
            good += 1
        except UnicodeDecodeError as error:
            starts.append(start + grown + error.start)
            grown += len(line.decode(errors=_ERRORS).encode()) - len(line)
            bad += 1
            sample += line[: _MOST_LOOKED_AT - len(sample)]
    is_mixed = bad <= good
    encoding = _WESTERN if is_mixed else _likeliest(bytes(sample))
    as_text = _changed(file, "utf-8" if encoding == _WESTERN else encoding, _ERRORS)
    return Text(as_text, legacy=encoding, legacy_at=starts if is_mixed else starts[:1], is_mixed=is_mixed)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Every line, with its position; where there is no line feed, as in old files of the Macintosh, by CR."""
    file.seek(0)
    start = 0
    for line in file:
        for part in [line] if line.count(b"\r") < 2 else line.splitlines(keepends=True):
            yield start, part
            start += len(part)


def _likeliest(sample: bytes) -> str:
    """The encoding (Python's name) in which text that is not UTF-8 probably is."""
    import chardet  # takes time to load, and is rarely needed

    found = chardet.detect_all(sample, encoding_era=chardet.EncodingEra.MODERN_WEB, ignore_threshold=True)
    likely = {codecs.lookup(one["encoding"]).name: one["confidence"] for one in found if one["encoding"]}
    best = max(likely, key=likely.__getitem__, default=_WESTERN)
    is_western = likely.get(_WESTERN, 0.0) >= _LIKELY * likely.get(best, 0.0)
    return _WESTERN if is_western or likely[best] < _GUESSED else best


def _as_western(error: UnicodeError) -> tuple[str, int]:
    """For ``codecs``: bytes that are not UTF-8 as Windows-1252, the five that it does not use as Latin-1 has them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_character(byte) for byte in wrong), error.end


def _character(byte: int) -> str:
    try:
        return bytes([byte]).decode(_WESTERN)
    except UnicodeDecodeError:
        return chr(byte)


_ERRORS = "bulkhooks-western"
codecs.register_error(_ERRORS, _as_western)


def name_of(encoding: str) -> str:
    """The name that people know an encoding by: ``cp1252`` is Windows-1252."""
    return f"Windows-{encoding[2:]}" if encoding.startswith("cp125") else encoding.upper().replace("_", "-")
