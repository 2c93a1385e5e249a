-- What people forbid, keep for a while after deletion, and limit.

-- Locks in the words of Azure's registries. No row: everything is allowed. `kind` is repository, tag or manifest; `name`
-- is empty for a repository, else the tag or the digest.
CREATE TABLE locks (
    repository TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    can_read   BIGINT NOT NULL,
    can_write  BIGINT NOT NULL,
    can_delete BIGINT NOT NULL,
    can_list   BIGINT NOT NULL,
    by_whom    TEXT   NOT NULL,
    changed    BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    PRIMARY KEY (repository, name)
);
CREATE INDEX locks_unlisted ON locks (repository, name) WHERE can_list = 0;

-- Tags that never move and never go, by pattern.
CREATE TABLE immutable (
    id           TEXT   NOT NULL PRIMARY KEY,
    repositories TEXT   NOT NULL,
    tags         TEXT   NOT NULL,
    exceptions   TEXT   NOT NULL,
    by_whom      TEXT   NOT NULL,
    changed      BIGINT NOT NULL
);

-- Deleted manifests until their time is over. Each holds its own bytes and those of its blobs in `contents.refs`.
CREATE TABLE trash (
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
    deleted       BIGINT NOT NULL,
    by_whom       TEXT   NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX trash_by_age ON trash (deleted, repository, digest);

-- `size` is absent where the target is a manifest, or was not there.
CREATE TABLE trash_links (
    repository TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    target     TEXT NOT NULL,
    size       BIGINT,
    PRIMARY KEY (repository, manifest, target)
);
CREATE INDEX trash_links_by_target ON trash_links (repository, target);

CREATE TABLE trash_tags (
    repository TEXT NOT NULL,
    digest     TEXT NOT NULL,
    tag        TEXT NOT NULL,
    PRIMARY KEY (repository, digest, tag)
);
CREATE INDEX trash_tags_by_tag ON trash_tags (repository, tag);

-- How much a repository (`team/app`), everything below a prefix (`team/*`) or the registry (`*`) may hold, and what it
-- holds: kept right in the transaction of every change. No limit: -1.
CREATE TABLE quotas (
    scope             TEXT   NOT NULL PRIMARY KEY,
    max_bytes         BIGINT NOT NULL,
    max_repositories  BIGINT NOT NULL,
    max_tags          BIGINT NOT NULL,
    used_bytes        BIGINT NOT NULL,
    used_repositories BIGINT NOT NULL,
    used_tags         BIGINT NOT NULL,
    by_whom           TEXT   NOT NULL,
    changed           BIGINT NOT NULL
);

-- Which bytes a quota counts, once however many rows of its repositories need them.
CREATE TABLE usage_of_quotas (
    scope  TEXT   NOT NULL,
    digest TEXT   NOT NULL,
    size   BIGINT NOT NULL,
    refs   BIGINT NOT NULL,
    PRIMARY KEY (scope, digest)
);
