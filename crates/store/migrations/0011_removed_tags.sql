-- Tags that were removed while their manifest stayed, the last removal of each, for as long as the trash keeps things.
CREATE TABLE removed_tags (
    repository TEXT   NOT NULL,
    tag        TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    deleted    BIGINT NOT NULL,
    PRIMARY KEY (repository, tag)
);
CREATE INDEX removed_tags_by_age ON removed_tags (deleted);
