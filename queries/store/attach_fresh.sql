-- Make a new file, to copy a store into.
-- parameters: path
ATTACH $path AS fresh
