-- What manifests say of themselves, what is made of them, and how they are used: for counting pulls, for keeping and
-- deleting by rules, for finding things and for telling what has grown old.

-- Pulls of a manifest by the name that was asked for; `tag` is empty where that was its digest.
CREATE TABLE pulls (
    repository TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    tag        TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    last_pull  BIGINT NOT NULL,
    PRIMARY KEY (repository, digest, tag)
);

-- The same by day: days since 1970, UTC.
CREATE TABLE pull_days (
    repository TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    day        BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    PRIMARY KEY (repository, digest, day)
);
CREATE INDEX pull_days_by_day ON pull_days (day);

-- When the decision of a verdict became what it is.
ALTER TABLE judgements ADD COLUMN decided BIGINT;

-- What a manifest and its configuration say, whatever repositories hold it. `layers` is a JSON list of digests, bottom
-- first; `chain` is a hash of all of them, so that an image whose layers begin as another's is found by its own.
CREATE TABLE about (
    digest      TEXT NOT NULL PRIMARY KEY,
    created     BIGINT,
    base_name   TEXT,
    base_digest TEXT,
    layers      TEXT NOT NULL,
    chain       TEXT
);
CREATE INDEX about_by_chain ON about (chain);

-- Labels of the configuration and annotations of the manifest, cut to a bounded length.
CREATE TABLE labels (
    digest TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (digest, name)
);
CREATE INDEX labels_by_name ON labels (name, value);
CREATE INDEX labels_by_value ON labels (value);

-- What a tag pointed to before it was moved.
CREATE TABLE former_tags (
    repository TEXT   NOT NULL,
    tag        TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    until      BIGINT NOT NULL,
    PRIMARY KEY (repository, tag, digest)
);
CREATE INDEX former_tags_by_digest ON former_tags (repository, digest);

-- Which packages are in which images, by name.
CREATE TABLE installed (
    name    TEXT NOT NULL,
    digest  TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (name, digest, version)
);
CREATE INDEX installed_by_digest ON installed (digest);

-- Tags by their name, whatever repository has them.
CREATE INDEX tags_by_name ON tags (tag);
