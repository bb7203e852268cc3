-- Macro pairs(holder): the keys and the texts of their values, missing ones left out, of a place that holds metadata: an
-- object, or an array of {"key": …, "value": …}. Null for any other value, and where a key stands twice.
-- parameters: none
CREATE OR REPLACE MACRO pairs(holder) AS CASE
    -- all values are strings: the common case
    WHEN starts_with(holder, '{') AND NOT regexp_matches(holder::VARCHAR, ':[^"]')
        THEN map_entries(json_transform(holder, '"MAP(VARCHAR,VARCHAR)"'))
    WHEN starts_with(holder, '{')
        THEN list_filter(
            list_transform(
                map_entries(json_transform(holder, '"MAP(VARCHAR,JSON)"')),
                lambda e: struct_pack("key" := e.key, "value" := compared(e.value))
            ),
            lambda e: e.value IS NOT NULL
        )
    WHEN
        starts_with(holder, '[')
        AND len(list_distinct(list_transform(json_transform(holder, '[{"key":"JSON"}]'), lambda e: e.key)))
        = len(list_filter(json_transform(holder, '[{"key":"JSON"}]'), lambda e: e.key IS NOT NULL))
        THEN list_filter(
            list_transform(
                list_filter(
                    json_transform(holder, '[{"key":"JSON","value":"JSON"}]'),
                    lambda e: e.key IS NOT NULL AND starts_with(e.key, '"')
                ),
                lambda e: struct_pack("key" := unquoted(e.key), "value" := compared(e.value))
            ),
            lambda e: e.value IS NOT NULL
        )
END
