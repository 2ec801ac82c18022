"""The retina dataset: scans as JSON, with the names of patients kept apart.

Belongs here: the declaration. Does not belong here: reading JSON and applying rules (`vitalake/records/`).
"""

from vitalake.lake.dataset import Rule, SqlView
from vitalake.lake.sinks import Sink
from vitalake.records.conditions import visible
from vitalake.records.declare import json_dataset
from vitalake.records.fields import Field, RecordTable

DIAGNOSES = (
    "normal",
    "glaucoma",
    "glaucoma suspect",
    "diabetic retinopathy",
    "macular degeneration",
    "macular edema",
    "retinal detachment",
    "cataract",
    "hypertensive retinopathy",
)

RETINA = json_dataset(
    name="retina",
    doc="Retina scans as imaging systems export them.",
    owner="team:data",
    fields=(
        Field(
            "patient_id", "patient_id", "string", "Identifier of the patient, as the source has it.", required=True
        ),
        Field("patient_name", "patient_name", "string", "Name of the patient.", personal=True),
        Field("scan_date", "scan_date", "date", "Day of the scan.", required=True),
        Field(
            "retina_thickness_microns",
            "retina_thickness_microns",
            "int32",
            "Thickness of the retina in µm.",
            required=True,
        ),
        Field(
            "optic_disc_cup_ratio", "optic_disc_cup_ratio", "float64", "Cup-to-disc ratio, 0 to 1.", required=True
        ),
        Field("diagnosis", "diagnosis", "string", "Diagnosis, in the words of the source."),
    ),
    rules=(
        Rule(
            "R01",
            "trim(patient_id) = '' OR regexp_full_match(patient_id, '[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')",
            "patient_id is not up to 64 letters, digits, dots, dashes and underscores",
        ),
        # A device east of Greenwich lives a day ahead; its clock may not.
        Rule(
            "R02",
            "scan_date <= CAST(uploaded_at AS DATE) + 1",
            "scan_date lies after the day of the upload",
        ),
        Rule(
            "R03", "retina_thickness_microns BETWEEN 50 AND 1000", "retina_thickness_microns is not 50 to 1000 µm"
        ),
        Rule("R04", "optic_disc_cup_ratio BETWEEN 0 AND 1", "optic_disc_cup_ratio is not 0 to 1"),
        Rule(
            "R05",
            f"diagnosis IS NOT NULL AND lower(trim(diagnosis)) IN {DIAGNOSES}",
            "diagnosis is missing, or none of those that are known",
            warns=True,
        ),
        Rule(
            "R06",
            f"patient_name IS NOT NULL AND {visible('patient_name')}",
            "patient_name is missing or blank",
            warns=True,
        ),
    ),
    tables=(
        RecordTable(
            "retina_scans",
            "One row per scan, without names.",
            ("patient_id", "scan_date", "retina_thickness_microns", "optic_disc_cup_ratio", "diagnosis"),
        ),
        RecordTable(
            "retina_names",
            "One row per scan: which name the source gave the patient.",
            ("patient_id", "patient_name"),
            restricted=True,
        ),
    ),
    views=(
        SqlView(
            "retina_patients",
            f"""SELECT patient_id, arg_max(patient_name, (uploaded_at, source_key, record_number))
                FILTER ({visible("patient_name")}) AS patient_name
            FROM retina_names GROUP BY patient_id""",
            "Each patient with a scan, and the newest name. Only who may read the restricted bucket can ask it.",
            {
                "patient_id": "Identifier of the patient, as the source has it.",
                "patient_name": "Newest name that is not blank; null: the source gave none.",
            },
        ),
    ),
    sinks=(
        Sink(
            "retina_patients_json",
            view="retina_patients",
            key=("patient_id",),
            target="json",
            doc="The patients as one JSON array, in the restricted bucket; null for a name that no source gave.",
        ),
    ),
)
