-- When the changes before this one were deleted: by then each of them was in force everywhere.
ALTER TABLE revisions ADD COLUMN pruned_before_at INTEGER;
