-- Record a run whose folder waits to be moved to its place.
-- parameters: run_id, inputs_sha256, as_of, recorded_at, folder, staged, manifest
INSERT INTO runs VALUES ($run_id, $inputs_sha256, $as_of, $recorded_at, $folder, $staged, $manifest)
