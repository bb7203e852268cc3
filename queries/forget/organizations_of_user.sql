-- The organizations that know a user of this id.
-- parameters: user_id
-- grain: one row an organization
-- columns: organization_code
SELECT organization_code FROM payments WHERE user_id = $user_id
UNION
SELECT organization_code FROM communications WHERE user_id = $user_id
UNION
SELECT organization_code FROM final_suppressions WHERE user_id = $user_id
UNION
SELECT organization_code FROM opt_outs WHERE user_id = $user_id AND organization_code IS NOT NULL
ORDER BY organization_code
