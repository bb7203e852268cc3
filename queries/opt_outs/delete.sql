-- Take entries off the suppression list.
-- parameters: ids
DELETE FROM opt_outs WHERE list_contains($ids, opt_out_id)
