-- What runs on nodes, as their agents say: which containers of which images, and when each node said so last.

CREATE TABLE nodes (
    host     TEXT   NOT NULL PRIMARY KEY,
    reported BIGINT NOT NULL,
    -- A hash of what it said, so that nothing is written where it says the same again.
    said     TEXT   NOT NULL
);

CREATE TABLE running (
    host      TEXT   NOT NULL,
    -- GROUP/CONTAINER.
    container TEXT   NOT NULL,
    digest    TEXT   NOT NULL,
    -- As the group names it.
    image     TEXT   NOT NULL,
    since     BIGINT NOT NULL,
    PRIMARY KEY (host, container)
);
CREATE INDEX running_by_digest ON running (digest);
