"""`vitalake check`: what a person, and a program, is told of files before they are uploaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cli.demo.recordings import broken, matlab_v4, other_formats
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.check.conftest import ROWS
from tests.cli.conftest import DAYS, Answer, Vitalake, build, recording, today
from tests.terminal import on_terminal

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ("check", "weights.csv", "--declaration", "weights.py")


def as_json(answer: Answer) -> Any:
    return json.loads(answer.out)


def twelve_leads(folder: Path) -> tuple[Path, Path]:
    """The header and the signal file of a recording."""
    files = [each for each in other_formats(date(2026, 1, 5)) if each.kind == "12 leads"]
    paths = [folder / each.key.rpartition("/")[2] for each in files]
    for path, each in zip(paths, files, strict=True):
        path.write_bytes(each.data)
    header, signals = sorted(paths, key=lambda path: path.suffix != ".hea")
    return header, signals


@pytest.mark.usefixtures("folder")
def test_rows_refusals_and_warnings_of_a_csv_under_a_declaration_that_is_not_installed(vitalake: Vitalake) -> None:
    answer = vitalake(*WEIGHTS)
    assert (answer.code, answer.err) == (1, "")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert lines[0] == (
        f"weights.csv: refused in part, {len(ROWS)} bytes, as weights/date={today()}/weights.csv of {today()}"
    )
    assert "weights: 2 rows" in lines
    assert "device_id string, measured_at timestamp, weight_kg float64, note string, warnings list<string>" in lines
    assert "2 scale-01 2025-03-02 07:01:00 UTC 71.4 — []" in lines
    assert "5 scale-03 2025-03-02 09:40:00 UTC 64 battery low [W02]" in lines
    refused = lines.index("weights.csv, record 3: weight is not a number")
    assert lines[refused - 1].startswith("refused by D05: A value is not of its field's type")
    assert lines[refused + 1] == "scale-02,2025-03-02T19:30:00Z,n/a,"
    assert lines[refused + 2].startswith("to do: Numbers as 1234.5")
    assert "upload" not in lines[refused + 2].lower()
    assert "weights.csv, record 4: weight is not 1 to 300 kg" in lines
    assert "warned by W02: 1 row; the scale has something to say" in lines
    assert "1 file = 1 refused in part" in lines
    assert "4 records = 2 in the tables + 2 in quarantine" in lines
    assert "\x1b" not in answer.out


def test_what_is_good_ends_with_0(vitalake: Vitalake, folder: Path) -> None:
    (folder / "weights.csv").write_text("\n".join(ROWS.splitlines()[:2]))
    answer = vitalake(*WEIGHTS)
    assert (answer.code, answer.err) == (0, "")
    assert "1 record = 1 in the tables + 0 in quarantine" in answer.out
    assert "refused" not in answer.out


@pytest.mark.usefixtures("folder")
def test_rows_that_are_left_out_are_counted(vitalake: Vitalake) -> None:
    for limit, more in (("1", "… and 1 more row (--limit)"), ("0", "… and 2 more rows (--limit)")):
        answer = vitalake(*WEIGHTS, "--limit", limit)
        assert more in answer.out
        assert "battery" not in answer.out


@pytest.mark.usefixtures("folder")
def test_json_is_one_document_of_the_shape_that_is_documented(vitalake: Vitalake) -> None:
    answer = vitalake(*WEIGHTS, "--json")
    assert (answer.code, answer.err) == (1, "")
    found = as_json(answer)
    assert list(found) == [
        "format", "dataset", "refused", "files", "not_uploaded", "tables", "refusals", "warnings", "verdicts",
        "recordings", "assumed",
    ]  # fmt: skip
    assert (found["format"], found["dataset"], found["refused"]) == ("vitalake check 1", "weights", True)
    key = f"weights/date={today()}/weights.csv"
    assert found["files"] == [
        {
            "file": "weights.csv",
            "key": key,
            "partition": str(today()),
            "size_bytes": len(ROWS),
            "outcome": "refused in part",
            "belongs_to": None,
            "rows": {"weights": 2},
            "refused_records": 2,
        }
    ]
    [table] = found["tables"]
    assert {name: table[name] for name in ("name", "restricted", "rows", "pseudonymised")} == {
        "name": "weights",
        "restricted": False,
        "rows": 2,
        "pseudonymised": [],
    }
    assert table["columns"]["measured_at"] == "timestamp"
    assert table["first_rows"][0] == {
        "device_id": "scale-01",
        "measured_at": "2025-03-02T07:01:00+00:00",
        "weight_kg": 71.4,
        "note": None,
        "warnings": [],
        "source_key": key,
        "record_number": 2,
    }
    [mistyped, light] = found["refusals"]
    assert (mistyped["rule"], mistyped["records"], mistyped["record_numbers"], mistyped["whole_file"]) == (
        "D05",
        1,
        [3],
        False,
    )
    assert light["message"] == "weight is not 1 to 300 kg"
    assert light["meaning"]
    assert light["to_do"]
    assert found["warnings"] == [{"rule": "W02", "rows": 1}]
    assert found["recordings"] == []
    page = (ROOT / "docs" / "operations.md").read_text()
    for name in (*found, *found["files"][0], *table, *mistyped):
        assert f"`{name}`" in page, name


def test_nothing_has_to_run_and_nothing_is_left(folder: Path) -> None:
    """Neither Dagster nor a client of S3 is even loaded."""
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    script = """import sys
sys.argv = ["vitalake", "check", "weights.csv", "--declaration", "weights.py"]
from cli.main import main
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in ("dagster", "boto3", "obstore") if name in sys.modules])"""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines()[-1] == "1 []"
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before


def test_the_lake_says_the_same_of_the_same_keys(
    vitalake: Vitalake, home: Path, raw: ObjectStore, settings: Settings, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    header, signals = twelve_leads(files)
    contents = {
        "good.mat": recording(),
        "empty.mat": b"",
        "text.mat": broken("text"),
        "cut.mat": broken("truncated"),
    }
    for name, data in contents.items():
        (files / name).write_bytes(data)
    (files / "alone.hea").write_bytes(header.read_bytes().replace(header.stem.encode(), b"alone"))
    said = as_json(vitalake("check", str(files), "--dataset", "ecg", "--date", DAYS[0], "--device", "a", "--json"))
    for path in files.iterdir():
        raw.put(f"ecg/date={DAYS[0]}/device=a/{path.name}", path.read_bytes(), expected=None)
    build(settings, DAYS[0])

    def asked(query: str) -> list[dict[str, Any]]:
        answer = vitalake("sql", query, "--format", "json", "--home", str(home))
        assert answer.code == 0, answer.err
        return list(json.loads(answer.out))

    rows = {each["name"]: each["rows"] for each in said["tables"]}
    assert {name: asked(f"SELECT count(*) AS rows FROM {name}")[0]["rows"] for name in rows} == rows  # noqa: S608
    assert rows["ecg_recordings"] == 2

    def told(key: str, rule: str, message: str) -> tuple[str, str, str]:
        return key, rule, message.partition(" UTC")[2] if rule == "S16" else message

    refused = asked("SELECT source_key, rule, message FROM ecg_quarantine")
    assert {told(each["source_key"], each["rule"], each["message"]) for each in refused} == {
        told(each["key"], each["rule"], each["message"]) for each in said["refusals"]
    }
    assert {each["rule"] for each in refused} >= {"S01", "S02", "S16"}
    verdicts = {
        each["source_key"]: each["verdict"] for each in asked("SELECT source_key, verdict FROM ecg_recordings")
    }
    assert verdicts == {each["key"]: each["verdict"] for each in said["recordings"]}
    outcomes = {Path(each["file"]).name: each["outcome"] for each in said["files"]}
    assert (outcomes[header.name], outcomes[signals.name]) == ("read", "part of another")


def test_files_of_one_recording_are_one_and_one_alone_says_what_it_waits_for(
    vitalake: Vitalake, folder: Path
) -> None:
    header, signals = twelve_leads(folder)
    answer = vitalake("check", header.name, signals.name, "--dataset", "ecg")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert "ecg_recordings: 1 row" in lines
    assert "ecg_signals: 12 rows" in lines
    assert f"{signals.name}: part of {header.name}, " in answer.out
    assert "wfdb · 12 leads · 500 Hz · 10 s" in answer.out
    assert "  V3   mV  ! marginal: baseline wander, mains hum, muscle noise  [Q06, Q07, Q08]" in lines
    assert "2 files = 1 part of another + 1 read" in lines
    assert as_json(vitalake("check", str(folder), "--dataset", "ecg", "--json"))["tables"][0]["rows"] == 1
    answer = vitalake("check", header.name, "--dataset", "ecg")
    assert answer.code == 1
    assert f"waits for '{signals.name}'" in answer.out
    assert "name all of them, or their folder" in answer.out


def test_of_many_recordings_the_worst_are_shown_and_all_are_counted(vitalake: Vitalake, folder: Path) -> None:
    for number in range(11):
        (folder / f"{number}.mat").write_bytes(recording(number))
    (folder / "z.mat").write_bytes(matlab_v4(np.full((1, 3600), 1024, np.int16)))
    files = [f"{number}.mat" for number in (*range(11), "z")]
    answer = vitalake("check", *files, "--dataset", "ecg", "--device", "demo-1")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert "verdicts: 11 acceptable, 1 unacceptable" in lines
    assert "… and 2 more recordings" in lines
    assert lines[lines.index("z.mat") + 1].startswith("✕ unacceptable: ")
    assert lines.index("z.mat") < lines.index("0.mat")
    found = as_json(vitalake("check", *files, "--dataset", "ecg", "--device", "demo-1", "--json"))
    assert found["verdicts"] == {"acceptable": 11, "unacceptable": 1}
    assert [each["verdict"] for each in found["recordings"]] == ["unacceptable", *["acceptable"] * 9]


def test_what_is_assumed_of_a_recording_is_said_with_its_values(vitalake: Vitalake, folder: Path) -> None:
    (folder / "1.mat").write_bytes(recording())
    answer = vitalake("check", "1.mat", "--dataset", "ecg", "--device", "demo-1")
    assert answer.code == 0
    assert (
        "assumed, as the file does not say it: a sampling rate of 360 Hz, the lead MLII, a gain of 200 stored "
        "units a mV, a zero at 1024 stored units" in answer.out
    )
    found = as_json(vitalake("check", "1.mat", "--dataset", "ecg", "--device", "demo-1", "--json"))
    [lead] = found["recordings"][0]["leads"]
    assert (lead["lead_name"], lead["verdict"], lead["in_words"][:12]) == ("MLII", "acceptable", "✓ acceptable")
    assert "samples" not in found["tables"][1]["columns"]


def test_a_rate_that_nobody_declares_is_said_to_be_assumed(vitalake: Vitalake, folder: Path) -> None:
    (folder / "1.mat").write_bytes(recording())
    answer = vitalake("check", "1.mat", "--dataset", "ecg")
    assert answer.code == 0
    assert "assumed, as the file does not say it: a sampling rate of 360 Hz" in answer.out
    found = as_json(vitalake("check", "1.mat", "--dataset", "ecg", "--json"))
    assert found["recordings"][0]["verdict"] == "marginal"


def test_a_terminal_gets_the_curves_of_one_recording_and_no_colours_where_none_are_wanted(folder: Path) -> None:
    (folder / "1.mat").write_bytes(recording())
    code, said = on_terminal("check", str(folder / "1.mat"), "--dataset", "ecg", env={"NO_COLOR": "1"}, columns=100)
    assert code == 0
    assert any(0x2800 < ord(each) < 0x2900 for each in said)
    assert "\x1b" not in said


def test_pictures_of_one_and_of_several_recordings(vitalake: Vitalake, folder: Path) -> None:
    (folder / "1.mat").write_bytes(recording())
    answer = vitalake("check", "1.mat", "--dataset", "ecg", "--picture", "1.png")
    assert answer.code == 0, answer.err
    with Image.open(folder / "1.png") as image:
        assert np.asarray(image).std() > 0
    (folder / "<b>2.mat").write_bytes(recording(2))
    files = ("check", "1.mat", "<b>2.mat", "--dataset", "ecg")
    answer = vitalake(*files, "--picture", "2.png")
    assert answer.code == 2
    assert ".html" in answer.err
    assert vitalake(*files, "--picture", "2.html", "--json").code == 0
    page = (folder / "2.html").read_text()
    assert page.count("<img") == 2
    assert "<b>" not in page
    for wrong in (("--picture", "1.gif"), ("--picture", "nowhere/1.png")):
        assert vitalake(*files, *wrong).code == 2
    answer = vitalake(*WEIGHTS, "--picture", "w.png")
    assert answer.code == 2
    assert "has none" in answer.err
    (folder / "none.mat").write_bytes(b"nothing")
    answer = vitalake("check", "none.mat", "--dataset", "ecg", "--picture", "none.png")
    assert answer.code == 1
    assert "no recording can be read" in answer.err
    assert not (folder / "none.png").exists()


def test_leads_and_stretches_that_are_asked_for_are_drawn(vitalake: Vitalake, folder: Path) -> None:
    header, signals = twelve_leads(folder)
    files = ("check", header.name, signals.name, "--dataset", "ecg")
    assert vitalake(*files, "--lead", "V3", "--from", "2", "--seconds", "3", "--picture", "3.png").code == 0
    answer = vitalake(*files, "--lead", "X9")
    assert answer.code == 2
    assert "no lead X9" in answer.err


@pytest.mark.data
def test_a_subject_is_a_pseudonym_that_is_another_one_the_next_time(
    vitalake: Vitalake, folder: Path, data_dir: Path
) -> None:
    (folder / "1.xml").write_bytes((data_dir / "aecg" / "Example aECG.xml").read_bytes())
    found = [as_json(vitalake("check", "1.xml", "--dataset", "ecg", "--json")) for _ in range(2)]
    tables = [each["tables"][0] for each in found]
    assert [table["pseudonymised"] for table in tables] == [["subject_id"]] * 2
    subjects = {table["first_rows"][0]["subject_id"] for table in tables}
    assert len(subjects) == 2
    assert all(subject.startswith("p1_") for subject in subjects)
    answer = vitalake("check", "1.xml", "--dataset", "ecg")
    assert "subject p1_" in answer.out
    assert "what is marked * is a pseudonym by a key of this check alone" in answer.out


def test_names_of_people_are_marked_as_restricted(vitalake: Vitalake, folder: Path) -> None:
    scan = {
        "patient_id": "P1",
        "patient_name": "Ada Example",
        "scan_date": "2025-01-05",
        "retina_thickness_microns": 250,
        "optic_disc_cup_ratio": 0.3,
        "diagnosis": "normal",
    }
    (folder / "scan.json").write_text(json.dumps([scan, scan | {"patient_id": "", "patient_name": "Bea Canary"}]))
    answer = vitalake("check", "scan.json", "--dataset", "retina")
    assert answer.code == 1
    assert "retina_names: 1 row (restricted: it names people)" in answer.out
    assert "Canary" not in answer.out  # of what is refused nothing is kept, and so it is shown here
    assert "2 records = 1 in the tables + 1 in quarantine" in answer.out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--date", "2026-01-05"), 1, "as weights/date=2026-01-05/weights.csv of 2026-01-05"),
        (("--device", "d1"), 1, "/device=d1/weights.csv"),
        (("--key", "weights/2026/01/06/other.csv"), 1, "as weights/2026/01/06/other.csv of 2026-01-06"),
        (("--key", "weights/2026/01/06/"), 1, "as weights/2026/01/06/weights.csv of 2026-01-06"),
        (("--key", "weights/date=2026-01-05/date=2026-01-06/"), 1, "refused by S17"),
        (("--key", "other/2026/01/06/"), 2, "below weights/"),
        (("--key", "weights/", "--date", "2026-01-05"), 2, "leave out --date"),
        (("--date", "2001-01-05"), 2, "the first day of the lake"),
        (("--source", "crm"), 2, "takes no notice of it"),
    ],
)
def test_the_key_is_that_of_an_upload_or_the_one_that_is_given(
    vitalake: Vitalake, options: tuple[str, ...], code: int, said: str
) -> None:
    answer = vitalake(*WEIGHTS, *options)
    assert answer.code == code
    assert said in " ".join((answer.out + answer.err).replace("│", " ").split())


def test_one_key_is_of_one_file(vitalake: Vitalake, folder: Path) -> None:
    (folder / "more.csv").write_text(ROWS)
    answer = vitalake(*WEIGHTS, "more.csv", "--key", "weights/x.csv")
    assert answer.code == 2
    assert "--key with a" in " ".join(answer.err.replace("│", " ").split())


def test_without_a_dataset_all_are_named(vitalake: Vitalake, folder: Path) -> None:
    answer = vitalake("check", "weights.csv")
    assert answer.code == 2
    said = " ".join(answer.err.replace("│", " ").split())
    for name in ("ecg (ECG recordings as devices upload them)", "pricing (Price lists of cloud instances)"):
        assert name in said
    assert "--declaration" in said
    assert vitalake("check", "weights.csv", "--dataset", "weihgts").code == 2
    assert folder.exists()


def test_files_that_are_none_or_hold_nothing(vitalake: Vitalake, folder: Path) -> None:
    assert vitalake("check", "nowhere.csv", "--dataset", "pricing").code == 2
    (folder / "below").mkdir()
    answer = vitalake("check", "below", "--dataset", "pricing")
    assert (answer.code, answer.err) == (2, "vitalake: nothing to check: no files below below\n")
    (folder / "empty.csv").touch()
    (folder / "header.csv").write_text("device,time,weight,note\n")
    (folder / "garbage.csv").write_bytes(np.random.default_rng(1).bytes(5000))
    (folder / "huge.csv").touch()
    os.truncate(folder / "huge.csv", 9 * 2**30)  # of nothing, which takes no room and is not read
    os.mkfifo(folder / "pipe.csv")
    names = ("empty.csv", "header.csv", "garbage.csv", "huge.csv", "pipe.csv")
    answer = vitalake("check", *names, "--declaration", "weights.py")
    assert answer.code == 1
    assert "empty.csv, the whole file: the object is empty (0 bytes)" in answer.out
    assert "header.csv: read, and holds no record" in answer.out
    assert "garbage.csv, the whole file: " in answer.out
    assert "huge.csv, the whole file: the object has 9,663,676,416 bytes; the limit is 8,589,934,592" in answer.out
    assert "5 files = 1 read + 3 refused + 1 that cannot be uploaded" in answer.out
    assert answer.err == "failed: pipe.csv: not a regular file\n"


def test_a_large_file_shows_how_far_it_is_on_a_terminal_only(folder: Path) -> None:
    head, *rows = ROWS.splitlines(keepends=True)
    (folder / "large.csv").write_text(head + rows[0] * 300_000)
    args = ("check", str(folder / "large.csv"), "--declaration", str(folder / "weights.py"))
    code, said = on_terminal(*args, env={"TERM": "xterm", "NO_COLOR": "1"})
    assert code == 0
    assert "MB" in said
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *args], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stderr == ""
    assert "300,000 records = 300,000 in the tables + 0 in quarantine" in done.stdout
