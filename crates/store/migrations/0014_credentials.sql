-- Credentials that lie in images, each by a keyed hash: neither its value nor anything that a guess could be tested with.
-- One stays here after the last image that held it is gone: whoever pulled that still has it.

CREATE TABLE credentials (
    fingerprint TEXT   NOT NULL PRIMARY KEY,
    rule        TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    -- From 0 (low) to 3 (verified): the surest place's.
    confidence  BIGINT NOT NULL,
    -- 1: it belongs to published packages, in every place.
    published   BIGINT NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL
);
CREATE INDEX credentials_by_age ON credentials (first_seen, fingerprint);

-- Where each lies, as the last look at each image found it.
CREATE TABLE leaks (
    fingerprint TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    place       TEXT   NOT NULL,
    layer       TEXT,
    hidden      BIGINT NOT NULL,
    package     TEXT,
    PRIMARY KEY (fingerprint, digest, place)
);
CREATE INDEX leaks_by_digest ON leaks (digest);

-- How much of what was seen besides packages, for lists of images.
ALTER TABLE judgements ADD COLUMN secrets BIGINT NOT NULL DEFAULT 0;
ALTER TABLE judgements ADD COLUMN misconfigurations BIGINT NOT NULL DEFAULT 0;
ALTER TABLE judgements ADD COLUMN unowned BIGINT NOT NULL DEFAULT 0;
ALTER TABLE judgements ADD COLUMN malware BIGINT NOT NULL DEFAULT 0;
-- The first moment after the support of its distribution ended, or will; absent where that is not known.
ALTER TABLE judgements ADD COLUMN unsupported BIGINT;
-- 1: every credential in it has a fingerprint. Images that an older version looked at have none.
ALTER TABLE judgements ADD COLUMN recognised BIGINT NOT NULL DEFAULT 0;
CREATE INDEX judgements_by_support ON judgements (unsupported);
