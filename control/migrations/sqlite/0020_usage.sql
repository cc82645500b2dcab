-- Usage, summed up where it is written, so that each question reads only the rows of its answer:
-- for every day the sums of each token, channel and package, of each two, of each one, and of all.
-- Token 0 is what came without a token. `-1` and `*` stand for all of them; the package is empty for
-- repodata and other files that are no package. No references: the numbers outlive what they count.
DROP TABLE usage_addresses;
DROP TABLE usage_days;

CREATE TABLE usage_days (
    token_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    package    TEXT NOT NULL,
    -- Days since 1970 in UTC.
    day        INTEGER NOT NULL,
    downloads  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    -- How many addresses, where the package is `*`; else 0.
    addresses  INTEGER NOT NULL,
    PRIMARY KEY (token_id, channel_id, package, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_days_by_token ON usage_days (channel_id, package, token_id, day, downloads, bytes, addresses)
    WHERE token_id >= 0;
CREATE INDEX usage_days_by_channel ON usage_days (token_id, package, channel_id, day, downloads, bytes, addresses)
    WHERE channel_id >= 0;

-- Which addresses are in `usage_days` already: of the last days only.
CREATE TABLE usage_addresses (
    day        INTEGER NOT NULL,
    token_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    address    TEXT NOT NULL,
    PRIMARY KEY (day, token_id, channel_id, address)
) STRICT, WITHOUT ROWID;

-- The last report of each running gateway: one that comes twice counts once.
CREATE TABLE usage_reporters (
    reporter    TEXT PRIMARY KEY,
    last_number INTEGER NOT NULL,
    day         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_reporters_day ON usage_reporters (day);
