-- Give what a retry quarantined again the place where it first stood, and take the mark off its pointers.
-- parameters: load_id, mark
-- `incoming` holds the place of each record that was tried, by its number in the retry.
UPDATE rejects
SET
    reject_id = incoming.reject_id,
    load_id = incoming.load_id,
    path = incoming.path,
    file_sha256 = incoming.file_sha256,
    record_no = incoming.record_no,
    root_organization = incoming.root_organization,
    pointer = substr(rejects.pointer, length($mark) + 1),
    faults = list_transform(
        rejects.faults,
        lambda fault: struct_pack(
            reason := fault.reason,
            pointer := substr(fault.pointer, length($mark) + 1),
            expected := fault.expected,
            found := fault.found
        )
    )
FROM incoming
WHERE rejects.load_id = $load_id AND rejects.record_no = incoming.number
