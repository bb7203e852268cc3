-- Put a keyed hash in the place of users; `incoming` holds the key of a payment, its user_id and user_hash.
-- parameters: none
UPDATE final_suppressions
SET user_hash = incoming.user_hash, user_id = NULL
FROM incoming
WHERE
    final_suppressions.organization_code = incoming.organization_code
    AND final_suppressions.payment_id = incoming.payment_id
    AND final_suppressions.user_id = incoming.user_id
