-- The common subset of SQLite and PostgreSQL: TEXT, BIGINT, BLOB, plain keys, no triggers, no upserts that only one knows.
-- Digests are text ("sha256:…"), so that a person can read the tables. Times are milliseconds since 1970, UTC.

CREATE TABLE repositories (
    name    TEXT   NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL
);

-- Which blobs a repository may serve. The bytes are in the blob store, once, whoever else has them.
CREATE TABLE blobs (
    repository TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX blobs_by_digest ON blobs (digest);

CREATE TABLE manifests (
    repository    TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    media_type    TEXT   NOT NULL,
    size          BIGINT NOT NULL,
    content_size  BIGINT NOT NULL,
    kind          TEXT   NOT NULL,
    platform      TEXT,
    subject       TEXT,
    artifact_type TEXT,
    annotations   TEXT,
    pushed_at     BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX manifests_by_digest ON manifests (digest);
CREATE INDEX manifests_by_subject ON manifests (repository, subject);
CREATE INDEX manifests_by_age ON manifests (pushed_at);

-- What a manifest points to: blobs of an image, manifests of an index.
CREATE TABLE links (
    repository TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    target     TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, target)
);
CREATE INDEX links_by_target ON links (repository, target);

CREATE TABLE tags (
    repository TEXT   NOT NULL,
    tag        TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    updated    BIGINT NOT NULL,
    PRIMARY KEY (repository, tag)
);
CREATE INDEX tags_by_digest ON tags (repository, digest);

-- Upload sessions that have acknowledged bytes.
CREATE TABLE uploads (
    id         TEXT   NOT NULL PRIMARY KEY,
    repository TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    touched    BIGINT NOT NULL
);

-- One row per image digest, whatever repositories hold it.
CREATE TABLE judgements (
    digest        TEXT   NOT NULL PRIMARY KEY,
    state         TEXT   NOT NULL,
    requested     BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    error         TEXT,
    decision      TEXT,
    verdict       TEXT,
    policy_digest TEXT,
    snapshot      TEXT,
    expires       BIGINT,
    judged        BIGINT,
    critical      BIGINT NOT NULL DEFAULT 0,
    high          BIGINT NOT NULL DEFAULT 0,
    medium        BIGINT NOT NULL DEFAULT 0,
    low           BIGINT NOT NULL DEFAULT 0,
    negligible    BIGINT NOT NULL DEFAULT 0,
    unknown       BIGINT NOT NULL DEFAULT 0,
    fixable       BIGINT NOT NULL DEFAULT 0,
    packages      BIGINT NOT NULL DEFAULT 0,
    complete      BIGINT NOT NULL DEFAULT 0,
    material      BLOB,
    gaps          TEXT,
    findings      BLOB,
    content_hash  TEXT
);
CREATE INDEX judgements_by_state ON judgements (state, requested);
CREATE INDEX judgements_by_expiry ON judgements (expires);

-- The findings of `judgements` again, flat, for "which images does this vulnerability hit".
CREATE TABLE hits (
    vulnerability TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    purl          TEXT   NOT NULL,
    path          TEXT   NOT NULL,
    package       TEXT   NOT NULL,
    installed     TEXT   NOT NULL,
    fixed         TEXT,
    severity      BIGINT NOT NULL,
    kev           BIGINT NOT NULL,
    epss          DOUBLE PRECISION,
    PRIMARY KEY (vulnerability, digest, purl, path)
);
CREATE INDEX hits_by_digest ON hits (digest);

CREATE TABLE vulnerabilities (
    id      TEXT NOT NULL PRIMARY KEY,
    title   TEXT NOT NULL,
    finding TEXT NOT NULL
);

CREATE TABLE snapshots (
    id   TEXT NOT NULL PRIMARY KEY,
    info TEXT NOT NULL
);

-- Who may sign in. Secrets only as a salted hash of 256 random bits.
CREATE TABLE principals (
    name    TEXT   NOT NULL PRIMARY KEY,
    salt    BLOB   NOT NULL,
    hash    BLOB   NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE sessions (
    id        TEXT   NOT NULL PRIMARY KEY,
    principal TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
