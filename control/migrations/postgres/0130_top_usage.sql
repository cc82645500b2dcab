-- What most of a channel's usage is, found from the latest day on: its packages, and its tokens.
-- Without the numbers: as long as no index has them, a row is updated without touching any.
CREATE INDEX usage_days_of_packages ON usage_days (channel_id, day, package)
    WHERE token_id = -1 AND channel_id >= 0;
CREATE INDEX usage_days_of_tokens ON usage_days (channel_id, day, token_id)
    WHERE token_id >= 0 AND channel_id >= 0 AND package = '*';
