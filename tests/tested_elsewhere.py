"""Which modules have no test file of their own, where they are tested, and why there.

Belongs here: the one list. Does not belong here: the test that holds it true (`tests/test_architecture.py`).

`x/y.py` is tested in `tests/x/test_y.py`. A module is listed here where a test of its own would say again what the
test of its caller says with real files: the layers that a reader is made of, the queries that a command prints.
"""

from __future__ import annotations

# (test file below tests/, why there) -> modules
TESTED_ELSEWHERE: dict[tuple[str, str], tuple[str, ...]] = {
    ("system/test_browser.py", "it is what Dagster loads, so the whole system is its test"): ("definitions.py",),
    ("resources/test_notebook.py", "a notebook asks them of a real lake"): (
        "resources/home.py",
        "resources/reachable.py",
        "vitalake/serving/lake_handle.py",
        "vitalake/serving/recording_signals.py",
    ),
    # The core
    ("vitalake/ecg/test_channels.py", "what samples do is evidence for what a channel is"): (
        "vitalake/ecg/channel_content.py",
    ),
    (
        "vitalake/lake/computed/test_declaration.py",
        "what is refused of a declaration, by itself and beside the lake",
    ): ("vitalake/lake/computed/resolved.py",),
    (
        "vitalake/arrivals/test_listing.py",
        "what a listing shows is what they are for",
    ): (
        "vitalake/arrivals/bundles.py",
        "vitalake/arrivals/fingerprints.py",
        "vitalake/arrivals/objects.py",
        "vitalake/arrivals/partitions.py",
    ),
    ("sensors/test_drops.py", "plans and differences are seen in what the sensors ask for"): (
        "vitalake/arrivals/planning.py",
        "sensors/partition_diff.py",
        "sensors/run_requests.py",
        "sensors/run_state.py",
        "sensors/build.py",
    ),
    ("vitalake/lake/test_law.py", "the law is a property of all of them together, under crashes and races"): (
        "vitalake/lake/parts.py",
        "vitalake/lake/reconcile.py",
    ),
    ("vitalake/lake/versions/test_changed_declaration.py", "days become outdated where a declaration changes"): (
        "vitalake/lake/versions/outdated.py",
    ),
    ("vitalake/lake/test_reading.py", "what objects hold is seen in the account that reading keeps"): (
        "vitalake/lake/contents.py",
        "vitalake/lake/quarantine/rows.py",
        "vitalake/lake/refusals.py",
        "vitalake/errors.py",
    ),
    ("pipeline_assets/test_standing_checks.py", "these checks ask for it"): ("vitalake/lake/freshness.py",),
    ("cli/status/test_command.py", "the counts and the health of a lake are what the command shows"): (
        "vitalake/serving/dataset_counts.py",
        "cli/status/health.py",
    ),
    ("cli/quarantine/test_command.py", "the rows and the words for them are what the command shows"): (
        "vitalake/serving/quarantine_queries.py",
        "cli/quarantine/remedies.py",
        "cli/lake_connection.py",
    ),
    ("cli/remove/test_command.py", "what is counted, found and deleted is what the command says"): (
        "vitalake/serving/object_queries.py",
        "cli/remove/bucket_object.py",
    ),
    ("cli/ecg/test_command.py", "one recording's rows and strips are what the command shows"): (
        "vitalake/serving/recording_queries.py",
        "cli/ecg/text.py",
        "cli/ecg/view.py",
    ),
    ("cli/test_up.py", "each is asked of a lake with demo data"): ("vitalake/serving/example_queries.py",),
    ("vitalake/datasets/test_rules.py", "each rule has a record that breaks it and one that keeps it"): (
        "vitalake/datasets/entity_metrics.py",
        "vitalake/datasets/entity_relationships.py",
        "vitalake/datasets/pricing.py",
        "vitalake/datasets/retina.py",
    ),
    ("vitalake/datasets/test_declared.py", "declarations are found, and held to what holds of all"): (
        "vitalake/datasets/ecg.py",
        "vitalake/datasets/entities.py",
    ),
    ("pipeline_assets/test_trends.py", "drawn from what a lake holds"): ("vitalake/charts/records_over_time.py",),
    # ECG
    ("vitalake/ecg/pictures/test_report_page.py", "every picture is drawn on it"): (
        "vitalake/ecg/pictures/ecg_grid.py",
    ),
    ("vitalake/ecg/quality/test_quality_model.py", "the stored model is computed from these"): (
        "vitalake/ecg/quality/model_features.py",
        "vitalake/ecg/quality/regression.py",
    ),
    ("vitalake/ecg/signals/test_measures.py", "each measure is tested on strips, through the registry"): (
        "vitalake/ecg/signals/beats.py",
        "vitalake/ecg/signals/filters.py",
        "vitalake/ecg/signals/levels.py",
        "vitalake/ecg/signals/spectrum.py",
        "vitalake/ecg/signals/strips.py",
    ),
    ("vitalake/ecg/test_tabulate.py", "the columns are filled there"): (
        "vitalake/ecg/recording.py",
        "vitalake/ecg/tables.py",
    ),
    ("vitalake/ecg/readers/aecg/test_reader.py", "through whole files"): (
        "vitalake/ecg/readers/aecg/values.py",
        "vitalake/ecg/readers/aecg/xml.py",
    ),
    ("vitalake/ecg/readers/dicom/test_reader.py", "through whole files"): (
        "vitalake/ecg/readers/dicom/beginning.py",
        "vitalake/ecg/readers/dicom/elements.py",
    ),
    ("vitalake/ecg/readers/edf/test_reader.py", "through whole files"): (
        "vitalake/ecg/readers/edf/data_records.py",
        "vitalake/ecg/readers/edf/fields.py",
        "vitalake/ecg/readers/edf/header.py",
    ),
    ("vitalake/ecg/readers/limited/test_process.py", "two sides of one conversation"): (
        "vitalake/ecg/readers/limited/child.py",
        "vitalake/ecg/readers/limited/frames.py",
    ),
    ("vitalake/ecg/readers/matlab/test_matrices.py", "through whole files"): (
        "vitalake/ecg/readers/matlab/v4.py",
        "vitalake/ecg/readers/matlab/v5.py",
        "vitalake/ecg/readers/matlab/variable.py",
    ),
    ("vitalake/ecg/readers/matlab/test_other_variables.py", "through whole files of structs, cells and HDF5"): (
        "vitalake/ecg/readers/matlab/hdf5.py",
        "vitalake/ecg/readers/matlab/reader.py",
    ),
    ("vitalake/ecg/readers/scp/test_reader.py", "through whole files"): (
        "vitalake/ecg/readers/crc.py",
        "vitalake/ecg/readers/scp/sections.py",
        "vitalake/ecg/readers/scp/waveforms.py",
    ),
    ("vitalake/ecg/readers/text/test_reader.py", "through whole files"): (
        "vitalake/ecg/readers/text/cells.py",
        "vitalake/ecg/readers/text/clock.py",
        "vitalake/ecg/readers/text/head.py",
        "vitalake/ecg/readers/text/layout.py",
        "vitalake/ecg/readers/text/table.py",
        "vitalake/ecg/readers/text/time_axis.py",
        "vitalake/ecg/readers/text/time_names.py",
    ),
    ("vitalake/ecg/readers/wfdb/test_reader.py", "through whole files"): (
        "vitalake/ecg/readers/wfdb/header.py",
        "vitalake/ecg/readers/wfdb/signal_line.py",
    ),
    # Records and entities
    ("vitalake/records/csv/test_reader.py", "every way through a file is a way through these"): (
        "vitalake/records/csv/block.py",
        "vitalake/records/csv/header.py",
        "vitalake/records/csv/lines.py",
        "vitalake/records/csv/misfits.py",
        "vitalake/records/csv/plain.py",
        "vitalake/records/csv/records.py",
        "vitalake/records/csv/repeated_header.py",
        "vitalake/records/csv/rows.py",
        "vitalake/records/csv/source.py",
    ),
    ("vitalake/records/json/test_reader.py", "every way through a file is a way through these"): (
        "vitalake/records/json/block.py",
        "vitalake/records/json/lines.py",
        "vitalake/records/json/nesting.py",
        "vitalake/records/json/record.py",
        "vitalake/records/json/sequence.py",
        "vitalake/records/json/window.py",
    ),
    ("vitalake/records/decoding/test_utf8.py", "through whole files"): (
        "vitalake/records/decoding/file_kinds.py",
        "vitalake/records/decoding/gzipped.py",
    ),
    ("vitalake/records/test_declare.py", "judged is what a declaration asks for"): ("vitalake/records/judge.py",),
    ("vitalake/datasets/test_rules.py", "in the rules that use them"): ("vitalake/records/conditions.py",),
    ("vitalake/entities/test_entities_views.py", "the views say which entities are current"): (
        "vitalake/entities/current.py",
        "vitalake/entities/tables.py",
    ),
    ("vitalake/entities/test_quality.py", "the classes are computed there"): ("vitalake/entities/entity_type.py",),
    ("vitalake/entities/test_envelope.py", "through whole exports"): ("vitalake/entities/envelope_fields.py",),
    ("vitalake/entities/test_trigrams.py", "beside PostgreSQL, which says what a word is"): (
        "vitalake/entities/word_characters.py",
    ),
    # Resources
    ("resources/alerting/test_delivery.py", "a protocol, with the loop that needs it"): (
        "resources/alerting/channel.py",
    ),
    ("resources/test_object_store.py", "a bucket is read through them"): (
        "resources/aws.py",
        "resources/object_content.py",
    ),
    ("resources/test_changed_bytes.py", "against a proxy that changes bytes"): ("resources/kept_content.py",),
    ("cli/test_environment.py", "settings are read where they are written"): ("resources/settings.py",),
    ("pipeline_assets/test_catalog_asset.py", "every run gets them"): ("resources/build.py",),
    ("resources/test_catalog.py", "it is asked whenever a catalog is published"): ("resources/published_views.py",),
    ("resources/sinks/test_postgres_table.py", "types and rows are what a delivery carries over"): (
        "resources/sinks/postgres_types.py",
        "resources/sinks/view_rows.py",
    ),
    # Dagster
    ("pipeline_assets/test_ecg_assets.py", "a real day of a dataset goes through all of them"): (
        "pipeline_assets/build.py",
        "pipeline_assets/dagster_metadata.py",
        "pipeline_assets/dataset_assets.py",
    ),
    ("sensors/test_alerts.py", "hook and sensors give one alert a run together"): ("pipeline_assets/alerts.py",),
    ("sensors/test_all_days.py", "the sensor follows it"): ("pipeline_assets/all_days.py",),
    ("pipeline_assets/test_trends.py", "the trends are such runs"): ("pipeline_assets/background.py",),
    ("sensors/test_queue.py", "messages are read in batches there"): ("sensors/queue_batch.py",),
    # Commands
    ("cli/demo/test_datasets.py", "each dataset's demo is built into a lake"): (
        "cli/demo/entities.py",
        "cli/demo/prices.py",
        "cli/demo/retina.py",
    ),
    ("cli/demo/test_recordings.py", "recordings are made of it"): ("cli/demo/heart.py",),
    ("cli/services/test_supervisor.py", "services are started, killed and found again"): (
        "cli/services/interrupts.py",
        "cli/services/process_cleanup.py",
        "cli/services/service.py",
    ),
    ("cli/services/test_local_system.py", "they are two of the processes of the system"): (
        "cli/services/daemon.py",
        "cli/services/webserver.py",
    ),
    ("cli/sql/test_command.py", "what a person types and sees"): (
        "cli/sql/prompt.py",
        "cli/sql/result_rows.py",
        "cli/sql/result_table.py",
        "cli/sql/results.py",
        "cli/sql/session.py",
    ),
    ("cli/sql/test_readonly.py", "statements are cut before they are judged"): ("cli/sql/statements.py",),
    ("cli/check/test_command.py", "what a person and a program are told of real files"): (
        "cli/check/document.py",
        "cli/check/picture.py",
        "cli/check/recordings.py",
        "cli/check/text.py",
        "cli/ecg/picture_file.py",
    ),
    ("cli/check/test_account.py", "the account knows them again"): ("cli/check/throwaway_pseudonyms.py",),
    ("cli/upload/test_files.py", "files of every size, sent to a real bucket"): (
        "cli/upload/command.py",
        "cli/upload/large_files.py",
        "cli/upload/progress.py",
    ),
    ("pipeline_assets/test_sink_assets.py", "each sink goes to what it names"): ("resources/sinks/target.py",),
    ("cli/test_backfill.py", "days are built again by the commands that ask for it"): ("cli/runs.py",),
    ("cli/test_main.py", "options and consoles are those of every command"): ("cli/console.py", "cli/options.py"),
}
