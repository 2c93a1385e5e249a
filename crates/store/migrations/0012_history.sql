-- How images were built: a JSON list of steps, the first first, those that made no layer included. Nothing where the
-- image was pushed before this was kept.
ALTER TABLE about ADD COLUMN history TEXT;

-- When an image was pulled last, whatever repository it was pulled from.
CREATE INDEX pulls_by_digest ON pulls (digest);
