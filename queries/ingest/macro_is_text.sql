-- Macro is_text(j): whether a JSON value is a string, or not there at all.
-- parameters: none
CREATE OR REPLACE MACRO is_text(j) AS j IS NULL OR starts_with(j, '"')
