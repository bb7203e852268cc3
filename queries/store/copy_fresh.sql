-- Write everything that the changed copy holds into the new file: rows, constraints and compression; nothing deleted.
-- parameters: none
COPY FROM DATABASE changed TO fresh
