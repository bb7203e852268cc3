-- Macro is_amount(j): whether a JSON value is a number that the column of amounts holds exactly, or not there at all.
-- parameters: none
CREATE OR REPLACE MACRO is_amount(j) AS j IS NULL OR regexp_full_match(j::VARCHAR, '[0-9]{1,15}(\.[0-9]{1,6})?')
