-- Macro unquoted(j): the text of a JSON string; null for null. What is no string gives nonsense: ask is_text first.
-- parameters: none
CREATE OR REPLACE MACRO unquoted(j) AS CASE
    WHEN contains(j, '\') THEN j ->> '$'
    ELSE substr(j::VARCHAR, 2, length(j::VARCHAR) - 2)
END
