-- Macro instant(j, froms, offsets): the instant in UTC, as a TIMESTAMP, of a JSON string that is a time; null for null, and
-- for what is no time, or is one only on a closer look. A time without a zone is read on a wall clock that from each of
-- the local times `froms` on is `offsets` microseconds ahead of UTC, which are those of the years 2000 to 2039. Of the common
-- spelling, strptime takes nothing but digits where digits belong, or a second blank beside the one in the middle.
-- parameters: none
CREATE OR REPLACE MACRO instant(j, froms, offsets) AS CASE
    WHEN j IS NULL THEN NULL
    WHEN
        len(froms) = 1 AND j::VARCHAR BETWEEN '"2000-01-02' AND '"2039-12-30'
        AND j::VARCHAR LIKE '"____-__-__ __:__:__"' AND NOT contains(j::VARCHAR, '  ')
        THEN try_strptime(j::VARCHAR, '"%Y-%m-%d %H:%M:%S"') - to_microseconds(offsets[1])
    WHEN NOT regexp_full_match(
        j::VARCHAR,
        '"[12][0-9]{3}-[01][0-9]-[0-3][0-9][T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?"'
    ) THEN NULL
    WHEN regexp_matches(j::VARCHAR, '(?:Z|[+-][0-9]{2}:[0-9]{2})"$')
        THEN make_timestamp(epoch_us(try_cast(unquoted(j) AS TIMESTAMPTZ)))
    WHEN j::VARCHAR NOT BETWEEN '"2000-01-02' AND '"2039-12-30' THEN NULL
    ELSE try_cast(unquoted(j) AS TIMESTAMP) - to_microseconds(
        offsets[len(list_filter(froms, lambda f: f <= try_cast(unquoted(j) AS TIMESTAMP)))]
    )
END
