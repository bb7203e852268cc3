-- Keyed hashes (HMAC-SHA256, RFC 2104) of values; inner and outer are the key, padded and masked.
-- parameters: inner, outer
-- `incoming` holds kind, organization_code and value. The length keeps organization and value apart.
-- grain: one row a row of `incoming`
-- columns: those of `incoming`, hash
SELECT
    incoming.*,
    sha256(
        $outer::BLOB || unhex(sha256(
            $inner::BLOB || encode(concat(kind, ':', strlen(organization_code), ':', organization_code, value))
        ))
    ) AS hash
FROM incoming
