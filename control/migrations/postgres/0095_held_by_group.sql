-- What a group's members hold is read for principals in thousands of groups: from this index alone.
-- SQLite's primary key holds the whole row.
CREATE INDEX group_permissions_group ON group_permissions (group_id, permission, channel_id);
