-- Take campaigns out before they are put in changed.
-- parameters: ids
DELETE FROM campaigns WHERE list_contains($ids, id)
