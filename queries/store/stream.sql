-- So much of a result may wait to be taken before the query that makes it has to wait.
-- parameters: none
SET streaming_buffer_size = '32MB'
