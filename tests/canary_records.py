"""Files of records that name a person in every text that may not be seen, good ones and broken ones.

Belongs here: bytes by key, of the datasets that there are, and of a CSV dataset about people. Does not belong here:
what must come of them, or fields that are kept by design (`BY_DESIGN` of `tests/cli/test_canary.py`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn

from tests.canary import BORN, EVERYTHING, MAIL, NAME, PHONE, RECORD_NUMBER, WORD
from tests.vitalake.scans import SCAN
from vitalake.lake.dataset import Rule
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

_FIELDS = (
    Field("visit", "visit_id", "int64", "Number of the visit.", required=True),
    Field("name", "name", "string", "Name of the patient.", required=True, personal=True),
    Field("born", "born_on", "date", "Day of birth.", personal=True),
    Field("phone", "phone", "string", "How to reach the patient.", personal=True),
)
_RULES = (Rule("V01", "visit_id > 0", "visit is not above 0"),)
VISITS = csv_dataset("visits", "Visits of people.", "team:data", _FIELDS, rules=_RULES, restricted=True)
"""A dataset of CSV about people: each of its files has what the others of this module have."""


def _fails(*_: object) -> NoReturn:
    raise ValueError(f"could not convert {EVERYTHING}")


_ODD = csv_dataset("odd", "Visits that our own code fails on.", "team:data", _FIELDS[:2], restricted=True)
ODD = replace(_ODD, tabulate=_fails)
"""A dataset whose own code fails, as libraries do, with a value in what it says."""


def canary_records() -> dict[str, bytes]:
    """All of them; no key names anybody."""
    return {
        **{f"retina/{number}.json": data for number, data in enumerate(_retina())},
        **{f"visits/{number}.csv": data for number, data in enumerate(_visits())},
        "odd/1.csv": f"visit,name\n1,{NAME}\n".encode(),
        **_entities(),
    }


def _retina() -> list[bytes]:
    good: dict[str, Any] = SCAN | {"patient_name": NAME, NAME: EVERYTHING, "more": {WORD: [EVERYTHING]}}
    bad: list[dict[str, Any]] = [
        {"patient_id": NAME},
        {"patient_id": {WORD: NAME}},
        {"scan_date": NAME},
        {"scan_date": BORN + " " + NAME},
        {"retina_thickness_microns": PHONE},
        {"optic_disc_cup_ratio": NAME},
        {"optic_disc_cup_ratio": [EVERYTHING]},
        {"diagnosis": {NAME: NAME}},
        {"patient_name": [NAME]},
    ]
    text = json.dumps([good | change for change in bad])
    return [
        json.dumps([good] * 40).encode(),
        text.encode(),
        f'[{json.dumps(good)}, {{"patient_name": "{NAME}", "{NAME}": 1, "{NAME}": 2}}]'.encode(),
        f'{json.dumps(good)}\n{{"patient_name": "{NAME}", "x": NaN}}\n"{NAME}"\n{json.dumps(good)}'.encode(),
        f'[{json.dumps(good)}, {{"{NAME}": "\\ud800"}}, {NAME}]'.encode(),
        json.dumps([good] * 3).encode()[:-30],
        f'"{EVERYTHING}"'.encode(),
        f"patient_id,patient_name\n1,{NAME}\n".encode(),
        EVERYTHING.encode("utf-16"),
    ]


def _visits() -> list[bytes]:
    head = "visit,name,born,phone\n"
    row = f'{{}},"{NAME}",{BORN},{PHONE}\n'
    good = head + "".join(row.format(number) for number in range(1, 60))
    bad = [
        f"0,{NAME},{BORN},{PHONE}\n",
        f"{NAME},{NAME},{BORN},{PHONE}\n",
        f"3,{NAME},{NAME},{PHONE}\n",
        f"4,{NAME}\n",
        f"5,{NAME},{BORN},{PHONE},{MAIL}\n",
        f'6,"{NAME}" {NAME},{BORN},{PHONE}\n',
        f'7,"{NAME},{BORN},{PHONE}\n',
        head,
        f"8,{NAME}\0,{BORN},{PHONE}\n",
    ]
    return [
        good.encode(),
        (good + "".join(bad) + row.format(9)).encode(),
        f"visit,name,{NAME},{WORD},{WORD}\n1,{NAME},2,3,4\n".encode(),
        f"{NAME},{BORN},{PHONE},{MAIL}\n".encode(),
        f'visit,"{NAME}\n1,2\n'.encode(),
        f"visit,born\n1,{BORN}\n".encode(),
        f"{NAME}\n".encode("utf-16"),
        b"\xff" + EVERYTHING.encode("latin-1"),
    ]


def _entities() -> dict[str, bytes]:
    private = {
        "contacts": [{"name": NAME, "phone": PHONE, "mail": MAIL}],
        NAME: EVERYTHING,
        "address": {"street": EVERYTHING, "country": {WORD: NAME}},
        "account_status": EVERYTHING,
        "segment": [NAME],
        "credit_limit": {NAME: 1},
    }
    good = [
        {"id": f"C{number}", "company_name": "Acme", "annual_revenue": number} | private for number in range(40)
    ]
    bad: list[Any] = [
        {"annual_revenue": NAME},
        {"annual_revenue": PHONE},
        {"employee_count": EVERYTHING},
        {"employee_count": [NAME]},
        {"industry_code": {NAME: NAME}},
        {"id": {NAME: NAME}, "customer_id": None},
        {"id": f"{NAME}\0"},
        {"company_name": [NAME]},
        {"company_name": f"{NAME}\0"},
    ]
    metadata = {
        "sourceSystem": "crm",
        "exportId": NAME,
        "exportDate": f"{BORN} {NAME}",
        "recordCount": PHONE,
        "dataVersion": EVERYTHING,
        "schema": EVERYTHING,
        NAME: {NAME: EVERYTHING},
    }
    summary = {"totalRevenue": 1, NAME: 5, WORD: {"totalRevenue": 2}, "averageRevenue": NAME, "by": {NAME: 7}}
    whole = {"records": good, "metadata": metadata, "summary": summary, NAME: EVERYTHING}
    text = json.dumps(whole, ensure_ascii=False)
    records = json.dumps([*({**good[0], **change} for change in bad), NAME])
    spoilt = f'{{"records": {records}, "metadata": {{"sourceSystem": "crm", "{NAME}": NaN}}, '
    spoilt += (
        f'"summary": {{"{NAME}": {{"{NAME}": 1, "{NAME}": 2}}, "{WORD}": "\\ud800", "\\ud800{NAME}": 1e999}}}}'
    )
    return {
        "entities/1.json": text.encode(),
        "entities/2.json": spoilt.encode(),
        "entities/3.json": json.dumps(whole | {"metadata": {"sourceSystem": NAME}}).encode(),
        "entities/4.json": json.dumps(whole | {"metadata": {"sourceSystem": [NAME]}}).encode(),
        "entities/5.json": json.dumps(whole | {"metadata": NAME, "summary": [NAME]}).encode(),
        "entities/legacy/6.json": json.dumps(
            [{"id": 1, "name": "Acme", "note": EVERYTHING, "status": [NAME]}]
        ).encode(),
        "entities/legacy/7.json": f'{{"id": 1, "name": "Acme", "{NAME}": 1, "{NAME}": 2}}\n{NAME}\n'.encode(),
        "entities/8.json": text.encode()[:-20],
        "entities/9.json": (text + EVERYTHING).encode(),
        "entities/10.json": f'{{"records": [], "{NAME}": 1, "{NAME}": 2}}'.encode(),
        "entities/11.json": f'{{"records": "{NAME}", "metadata": {{"sourceSystem": "crm"}}}}'.encode(),
        "entities/12.json": f'{{"records": [], "metadata": {{"{NAME}": 1, "{NAME}": 2}}}}'.encode(),
        "entities/13.json": f'{{"records": [], "summary": {{"a": {NAME}}}}}'.encode(),
        "entities/14.json": f'{{"records": [{{"id": "{RECORD_NUMBER}" "{NAME}"}}], "metadata": {{}}}}'.encode(),
    }
