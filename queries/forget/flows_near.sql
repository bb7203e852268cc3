-- Flows whose phone number may be one of some: it ends alike, or is written in digits of another script.
-- parameters: none
-- `incoming` holds tail, the last four digits of each number.
-- grain: one row a flow
-- columns: flow_id, country, phone_country_code (always null), phone_number, email
SELECT
    flows.flow_id,
    flows.country_code AS country,
    NULL::VARCHAR AS phone_country_code,
    flows.phone_number,
    flow_customers.email
FROM flows
LEFT JOIN flow_customers ON flow_customers.flow_id = flows.flow_id
WHERE
    right(regexp_replace(flows.phone_number, '[^0-9]', '', 'g'), 4) IN (SELECT tail FROM incoming)
    OR regexp_matches(flows.phone_number, '[^\x00-\x7f]')
