-- Who is not to be contacted.
-- parameters: none
-- grain: one row an opt-out
-- columns: opt_out_id, organization_code, phone, is_international, user_id
SELECT
    opt_out_id,
    organization_code,
    phone,
    is_international,
    user_id
FROM opt_outs
ORDER BY opt_out_id
