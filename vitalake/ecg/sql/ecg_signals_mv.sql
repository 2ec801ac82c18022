-- The signals in millivolts: mV = (stored - zero) / gain. Null where no gain is known.
SELECT
    recording_id, source_key, lead_index, lead_name, sampling_rate_hz, verdict, reasons, date,
    CASE WHEN gain_adu_per_mv IS NOT NULL THEN
        list_transform(coalesce(samples::DOUBLE[], samples_real), lambda v: (v - zero_adu) / gain_adu_per_mv)
    END AS mv
FROM ecg_signals
