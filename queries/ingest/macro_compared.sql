-- Macro compared(j): the text of a JSON value as rules compare it (SPEC 2.2); null for what counts as missing. Numbers are
-- told apart by the caller: none with an exponent or a negative zero may come here.
-- parameters: none
CREATE OR REPLACE MACRO compared(j) AS CASE
    WHEN j IS NULL OR starts_with(j, '{') OR starts_with(j, '[') OR j::VARCHAR = 'null' THEN NULL
    WHEN starts_with(j, '"') THEN unquoted(j)
    WHEN contains(j, '.') THEN rtrim(rtrim(j::VARCHAR, '0'), '.')
    ELSE j::VARCHAR
END
