-- Which entries of the suppression list say the same as those of `incoming`, whenever and by whom they were added.
-- parameters: none
-- grain: one row an entry of the list that says the same
-- columns: entry_no (the place in incoming), opt_out_id
SELECT
    incoming.entry_no,
    opt_outs.opt_out_id
FROM opt_outs
INNER JOIN incoming
    ON
        incoming.organization_code IS NOT DISTINCT FROM opt_outs.organization_code
        AND incoming.campaign_id IS NOT DISTINCT FROM opt_outs.campaign_id
        AND incoming.phone IS NOT DISTINCT FROM opt_outs.phone
        AND incoming.is_international IS NOT DISTINCT FROM opt_outs.is_international
        AND incoming.user_id IS NOT DISTINCT FROM opt_outs.user_id
ORDER BY incoming.entry_no, opt_outs.opt_out_id
