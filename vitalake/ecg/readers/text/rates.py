"""Sampling rates that lines of text state, in the words of several languages.

Belongs here: finding a rate or an interval in a sentence. Does not belong here: rates that follow from a column of
times (`time_axis.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = r"([0-9]{1,9}(?:[.,][0-9]{1,9})?)"
_HERTZ = r"(k?)\s?(?:hz|hertz|hercios|赫兹|赫茲|ヘルツ|헤르츠)"
_PER_SECOND = r"(k?)\s?(?:s/s|sps|samples?\s?(?:/|per)\s?s(?:ec(?:ond)?)?)\b"

_RATE = re.compile(
    rf"(?:sampl\w*[ _-]*(?:rate|freq\w*)|\bfs\b|^frequency\b)([^0-9]{{0,20}}){_NUMBER}", re.IGNORECASE
)
# Words that may also count samples: with the unit alone they say a rate.
_SAMPLING = re.compile(
    rf"(?:sampl|abtast|[ée]chantillon|muestreo|campionament|amostragem|bemonster|mess(?:rate|frequenz)|"
    rf"сэмпл|дискретиз|サンプル|サンプリング|采样|採樣|取样|取樣|샘플)[^0-9]{{0,20}}{_NUMBER}\s*{_HERTZ}",
    re.IGNORECASE,
)
_PER = re.compile(rf"{_NUMBER}\s*{_PER_SECOND}", re.IGNORECASE)
_INTERVAL = re.compile(
    rf"(?:sampl\w*[ _-]*(?:interval|period)|^interval\b)([^0-9]{{0,20}}){_NUMBER}\s*(ms|us|[µμ]s|s)?", re.IGNORECASE
)
_EACH = re.compile(rf"{_NUMBER}\s*(m|u|[µμ])?s(?:ec)?\s?/\s?sample", re.IGNORECASE)
_HERTZ_ALONE = re.compile(rf"[^0-9]{{1,40}}[,;:=\t]\s*{_NUMBER}\s+hertz", re.IGNORECASE)
_NO_SAMPLING = re.compile(
    r"filt|notch|netz|mains|line|pass|cut|corner|puls|heart|herz|band|resampl|original", re.IGNORECASE
)
_PER_SECOND_OF = {"": 1.0, "s": 1.0, "m": 1e3, "ms": 1e3, "u": 1e6, "us": 1e6}


def stated_rates(lines: Iterable[str]) -> tuple[float, ...]:
    """The sampling rates in Hz that lines state, each once, in order.

    Where a line of the ECG states one, those of other signals do not count.
    """
    found = [(rate, line) for line in lines if (rate := _rate(line)) is not None and rate > 0]
    of_ecg = [rate for rate, line in found if re.search(r"e[ck]g", line, re.IGNORECASE)]
    return tuple(dict.fromkeys(of_ecg or [rate for rate, _ in found]))


def _rate(line: str) -> float | None:
    if match := _RATE.search(line):
        kilo = "khz" in match[1].casefold() or bool(
            re.match("khz|ksps|ks/s", line[match.end(2) :].lstrip(), re.IGNORECASE)
        )
        return _hertz(match[2], kilo)
    if match := _SAMPLING.search(line) or _PER.search(line):
        return _hertz(match[1], bool(match[2]))
    if match := _INTERVAL.search(line):
        inside = re.search(r"[(\[]\s*(ms|us|s)", match[1], re.IGNORECASE)
        unit = (match[3] or (inside[1] if inside else "")).casefold().replace("μ", "u")
        step = _decimal(match[2])
        # A number without a unit is seconds where it can be, else nobody knows.
        return _PER_SECOND_OF[unit] / step if step and (unit or step < 1) else None
    if match := _EACH.search(line):
        step = _decimal(match[1])
        return _PER_SECOND_OF[(match[2] or "").casefold().replace("μ", "u")] / step if step else None
    # Watches write it below a word of the user's language.
    if (match := _HERTZ_ALONE.fullmatch(line.strip())) and not _NO_SAMPLING.search(line):
        return _hertz(match[1], kilo=False)
    return None


def _hertz(text: str, kilo: bool) -> float:
    """A rate: 511,999 Hz has a decimal comma, and 1,000 Hz separates thousands, or no ECG had such a rate."""
    value = _decimal(text)
    if kilo or (value < 20 and re.fullmatch(r"[0-9]{1,2}[.,][0-9]{3}", text)):
        return value * 1000
    return value


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))
