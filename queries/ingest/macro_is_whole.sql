-- Macro is_whole(j): whether a JSON value is a whole number of a length that is certainly held, or not there at all.
-- parameters: none
CREATE OR REPLACE MACRO is_whole(j) AS j IS NULL OR regexp_full_match(j::VARCHAR, '-?[0-9]{1,15}')
