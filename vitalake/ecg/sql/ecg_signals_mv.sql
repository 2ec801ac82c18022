-- The signals in millivolts: mV = (stored - zero) / gain. Leads without a known gain, or of another unit, are left out.
SELECT
    recording_id, source_key, lead_index, lead_name, sampling_rate_hz, verdict, reasons, date,
    list_transform(coalesce(samples::DOUBLE[], samples_real), lambda v: (v - zero_adu) / gain_adu_per_unit) AS mv
FROM ecg_signals
WHERE unit = 'mV'
