-- One entry of the suppression list.
-- parameters: opt_out_id
-- grain: one row an entry
-- columns: those of opt_outs
SELECT * FROM opt_outs WHERE opt_out_id = $opt_out_id
