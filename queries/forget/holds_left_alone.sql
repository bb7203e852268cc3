-- Whether anybody who was erased had asked to be left alone.
-- parameters: none
-- grain: one row
-- columns: holds_left_alone
SELECT count(*) > 0 AS holds_left_alone FROM forgotten WHERE kind IN ('left_alone_phone', 'left_alone_user')
