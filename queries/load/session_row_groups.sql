-- Write each group of rows to the disk when it is full, so that little is left to do, and to hold, at the end.
-- parameters: none
SET write_buffer_row_group_count = 1
