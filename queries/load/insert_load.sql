-- Record that a file was loaded.
-- parameters: load_id, path, file_sha256, bytes, kind, timezone, loaded_at, records, inserted, updated, unchanged, quarantined, forgotten, not_submittable, security_codes_removed
INSERT INTO loads VALUES (
    $load_id, $path, $file_sha256, $bytes, $kind, $timezone, $loaded_at, $records, $inserted, $updated, $unchanged,
    $quarantined, $forgotten, $not_submittable, $security_codes_removed
)
