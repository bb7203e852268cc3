-- What is worth knowing of the records of a file that were loaded.
-- parameters: none
-- grain: one row
-- columns: time_of_transaction, time_of_load, without_user_id, first_created_at, last_created_at, currencies
SELECT
    count(*) FILTER (created_at_origin = 'transaction') AS time_of_transaction,
    count(*) FILTER (created_at_origin = 'load') AS time_of_load,
    count(*) FILTER (user_id IS NULL) AS without_user_id,
    min(created_at) FILTER (created_at_origin <> 'load') AS first_created_at,
    max(created_at) FILTER (created_at_origin <> 'load') AS last_created_at,
    list_sort(list(DISTINCT currency_code)) AS currencies
FROM staged_payments
