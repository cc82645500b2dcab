-- The bound that somebody was told for a change stays, and so does the time it came into force
-- everywhere, whether or not anybody asks then.
ALTER TABLE revisions ADD COLUMN committed_by INTEGER;
CREATE INDEX revisions_unconfirmed ON revisions (revision) WHERE confirmed_at IS NULL;
