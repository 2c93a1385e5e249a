-- Work that takes a while: asked for by one server, done by whichever takes it, gone on with after a crash.

CREATE TABLE jobs (
    id        TEXT   NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL,
    spec      TEXT   NOT NULL,
    by_whom   TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    requested BIGINT NOT NULL,
    started   BIGINT,
    ended     BIGINT,
    -- Until when the server that does it has it; another may take it afterwards.
    claimed   BIGINT NOT NULL,
    done      BIGINT NOT NULL,
    total     BIGINT NOT NULL,
    -- Where to go on, and what came of it, in words of the kind.
    resume    TEXT,
    message   TEXT
);
CREATE INDEX jobs_by_state ON jobs (state, requested);
CREATE INDEX jobs_by_kind ON jobs (kind, requested);
