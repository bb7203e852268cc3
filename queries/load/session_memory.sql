-- Hold no more of the store in memory than this while files are loaded: what is written goes to the disk early.
-- parameters: none
SET memory_limit = '128MB'
