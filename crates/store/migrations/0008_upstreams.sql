-- Registries behind repositories of ours: when they were last asked, and when mirrors last began.

-- `name` is a tag, or `referrers of DIGEST`; `body` is what the other registry said, where that is not a row elsewhere.
CREATE TABLE upstream_checks (
    repository TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    checked    BIGINT NOT NULL,
    body       TEXT,
    PRIMARY KEY (repository, name)
);

-- So that of several servers one begins.
CREATE TABLE mirror_starts (
    mirror  TEXT   NOT NULL PRIMARY KEY,
    started BIGINT NOT NULL
);
