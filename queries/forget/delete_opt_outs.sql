-- Take people off the suppression list; `incoming` holds opt_out_id.
-- parameters: none
DELETE FROM opt_outs
USING incoming
WHERE opt_outs.opt_out_id = incoming.opt_out_id
