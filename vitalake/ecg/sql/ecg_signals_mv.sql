-- The leads in millivolts: mV = (stored - zero) / gain. Those without a known gain, and other signals, are left out.
-- Days of an older code have no kind: there the unit has to do.
SELECT
    recording_id, source_key, lead_index, lead_name, sampling_rate_hz, verdict, reasons, date,
    list_transform(coalesce(samples::DOUBLE[], samples_real), lambda v: (v - zero_adu) / gain_adu_per_unit) AS mv
FROM ecg_signals
WHERE unit = 'mV' AND signal_kind IS DISTINCT FROM 'other'
