-- SQLite alone has `INSERT OR REPLACE`; the two databases count their migrations alike.
SELECT 1;
