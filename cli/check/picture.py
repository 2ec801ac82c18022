"""Checked recordings as pictures: one as PNG, several on a page of HTML.

Belongs here: the file that is written. Does not belong here: drawing a recording
(`vitalake/ecg/pictures/report_page.py`).
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.ecg.picture_file import write_whole
from vitalake.escaping import printable

if TYPE_CHECKING:
    from cli.check.recordings import CheckedRecording

KINDS = {".png": "PNG", ".html": "HTML"}


def write_picture(path: Path, recordings: Sequence[CheckedRecording]) -> None:
    """Draw recordings into a file of one of `KINDS`, which needs nothing beside it.

    Raises:
        typer.BadParameter: they are several, for a PNG.
        PermanentError: it cannot be written.
    """
    pages = path.suffix.lower() == ".html"
    if len(recordings) > 1 and not pages:
        raise typer.BadParameter(f"a PNG has room for one recording, and here are {len(recordings)}: name it .html")
    images = [_png(each) for each in recordings]
    write_whole(path, _page(recordings, images).encode() if pages else images[0])


def _png(each: CheckedRecording) -> bytes:
    from vitalake.ecg.pictures.report_page import report_page_png

    facts, view = each.item.facts, each.view
    reasons = tuple(facts["reasons"])
    return report_page_png(
        each.item.key, view.facts, facts["verdict"], reasons, view.strips, view.measures, view.start_s
    )


def _page(recordings: Sequence[CheckedRecording], images: Sequence[bytes]) -> str:
    from cli.check.recordings import judgement

    sections = []
    for each, image in zip(recordings, images, strict=True):
        name, words = (html.escape(printable(text)) for text in (each.item.key, judgement(each.item.facts)))
        source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
        sections.append(f'<h1>{name}</h1>\n<p>{words}</p>\n<img alt="{words}" src="{source}">')
    style = "body { font-family: sans-serif; margin: 2em } h1 { font-size: 1em } img { max-width: 100% }"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>vitalake check</title>'
        f"<style>{style}</style></head><body>\n" + "\n".join(sections) + "\n</body></html>\n"
    )
