-- Take records out of the quarantine; `incoming` holds their ids.
-- parameters: none
DELETE FROM rejects
USING incoming
WHERE rejects.reject_id = incoming.reject_id
