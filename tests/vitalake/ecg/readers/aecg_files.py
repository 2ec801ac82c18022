"""HL7 aECG documents made up for tests.

Belongs here: a writer of valid documents. Does not belong here: expectations.
"""

from __future__ import annotations

from collections.abc import Sequence

TIME = "20200102030405.250+0130"


def lead(
    code: str,
    digits: str,
    *,
    scale: str = '<scale value="2.5" unit="uV"/>',
    origin: str = '<origin value="0" unit="uV"/>',
    kind: str = "SLIST_PQ",
) -> str:
    """One sequence of a lead."""
    value = f'<value xsi:type="{kind}">{origin}{scale}<digits>{digits}</digits></value>'
    return f'<component><sequence><code code="{code}"/>{value}</sequence></component>'


def axis(code: str, kind: str, head: str, increment: str) -> str:
    """One sequence of times; `head` and `increment` are attributes."""
    value = f'<value xsi:type="{kind}"><head {head}/><increment {increment}/></value>'
    return f'<component><sequence><code code="{code}"/>{value}</sequence></component>'


ABSOLUTE = axis("TIME_ABSOLUTE", "GLIST_TS", f'value="{TIME}"', 'value="0.004" unit="s"')


def series(*sets: str, low: str = TIME, inner: str = "") -> str:
    """A series of sequence sets, each given as its sequences one after the other."""
    wrapped = "".join(f"<component><sequenceSet>{one}</sequenceSet></component>" for one in sets)
    maker = "<manufacturerOrganization><name>Maker</name></manufacturerOrganization>"
    model = '<manufacturedSeriesDevice><id extension="SN-1"/><manufacturerModelName>M1</manufacturerModelName>'
    device = f"<author><seriesAuthor>{model}</manufacturedSeriesDevice>{maker}</seriesAuthor></author>"
    time = f'<effectiveTime><low value="{low}"/></effectiveTime>'
    return f"{time}{device}{wrapped}{inner}"


def document(all_series: Sequence[str], *, before: str = "", encoding: str = "utf-8") -> bytes:
    """A whole document; the subject P-17 is called Canary."""
    names = ("componentOf", "timepointEvent", "componentOf", "subjectAssignment", "subject", "trialSubject")
    person = "<subjectDemographicPerson><name>Canary</name></subjectDemographicPerson>"
    subject = "".join(f"<{name}>" for name in names) + f'<id root="1.2" extension="P-17"/>{person}'
    subject += "".join(f"</{name}>" for name in reversed(names))
    body = "".join(f"<component><series>{one}</series></component>" for one in all_series)
    spaces = 'xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    return f"{declaration}{before}<AnnotatedECG {spaces}>{subject}{body}</AnnotatedECG>".encode(encoding)
