-- Which packages containers were seen to use, as their nodes say.

-- Whether their node looked at all.
ALTER TABLE running ADD COLUMN looked BIGINT NOT NULL DEFAULT 0;

CREATE TABLE used (
    host      TEXT   NOT NULL,
    container TEXT   NOT NULL,
    package   TEXT   NOT NULL,
    version   TEXT   NOT NULL,
    -- 1: a file of it was loaded; 2: one was executed.
    how       BIGINT NOT NULL,
    PRIMARY KEY (host, container, package, version)
);
