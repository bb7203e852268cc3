-- Macro filled(t): a text that counts as present in a mandatory field; null for an empty one.
-- parameters: none
CREATE OR REPLACE MACRO filled(t) AS nullif(t, '')
