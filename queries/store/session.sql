-- Times are UTC whatever the machine's zone.
-- parameters: none
SET TimeZone = 'UTC'
