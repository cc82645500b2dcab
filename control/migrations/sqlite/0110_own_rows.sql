-- SQLite has no roles, whose rows these could be; the two databases count their migrations alike.
SELECT 1;
