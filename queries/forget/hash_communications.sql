-- Put a keyed hash in the place of users; `incoming` holds the key of a payment, its user_id and user_hash.
-- parameters: none
UPDATE communications
SET user_hash = incoming.user_hash, user_id = NULL
FROM incoming
WHERE
    communications.organization_code = incoming.organization_code
    AND communications.payment_id = incoming.payment_id
    AND communications.user_id = incoming.user_id
