-- Events on their way to other systems: written in the commit that notes up to where the log was read for them, sent
-- until they arrive or their time is over.

CREATE TABLE deliveries (
    id       TEXT   NOT NULL PRIMARY KEY,
    webhook  TEXT   NOT NULL,
    event    TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    created  BIGINT NOT NULL,
    -- When it is tried next; absent once it is over.
    due      BIGINT,
    attempts BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    -- What the other system answered last, or why it could not be reached.
    status   BIGINT,
    error    TEXT,
    ended    BIGINT
);
CREATE INDEX deliveries_due ON deliveries (due) WHERE due IS NOT NULL;
CREATE INDEX deliveries_by_webhook ON deliveries (webhook, created);
CREATE INDEX deliveries_ended ON deliveries (ended) WHERE ended IS NOT NULL;

-- Images that were pushed and may not be pulled yet: whoever waits for them is told when they may.
CREATE TABLE held_pushes (
    repository TEXT NOT NULL,
    digest     TEXT NOT NULL,
    entry      TEXT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX held_pushes_by_digest ON held_pushes (digest);
