-- Keep the memory of one statement for the next: giving it back and taking it again costs more than the work.
-- parameters: none
SET allocator_flush_threshold = '8GB'
