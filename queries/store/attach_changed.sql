-- Open the changed copy of a store, to copy from.
-- parameters: path
ATTACH $path AS changed (READ_ONLY)
