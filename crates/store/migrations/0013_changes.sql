-- Since when a finding is there, and what changed about findings: which came and went, which grew worse, and why.

-- When this server first saw it on this image, and by what; absent where that was before this was kept.
ALTER TABLE hits ADD COLUMN since BIGINT;
ALTER TABLE hits ADD COLUMN cause TEXT;

-- What is news about findings, numbered from 1 in the order of commits, until it is old. Those that came with the first
-- judgement of an image are not news. `was_…` is how it was before, where it was there.
CREATE TABLE finding_changes (
    number        BIGINT NOT NULL PRIMARY KEY,
    at            BIGINT NOT NULL,
    cause         TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    vulnerability TEXT   NOT NULL,
    purl          TEXT   NOT NULL,
    path          TEXT   NOT NULL,
    package       TEXT   NOT NULL,
    installed     TEXT   NOT NULL,
    since         BIGINT,
    fixed         TEXT,
    severity      BIGINT NOT NULL,
    kev           BIGINT NOT NULL,
    epss          DOUBLE PRECISION,
    was_fixed     TEXT,
    was_severity  BIGINT,
    was_kev       BIGINT,
    was_epss      DOUBLE PRECISION,
    snapshot      TEXT
);
CREATE INDEX finding_changes_by_image ON finding_changes (digest);
CREATE INDEX finding_changes_by_age ON finding_changes (at);

-- Up to which change each notification rule has read, and when it told of something last.
CREATE TABLE notified (
    rule     TEXT   NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    sent     BIGINT
);

-- Who pulled last under a name.
ALTER TABLE pulls ADD COLUMN puller TEXT;
