-- Close the new file.
-- parameters: none
DETACH fresh
