-- Who still needs which bytes, counted as it changes, so that garbage is found without walking anything.

-- Bytes in the blob store, once, whoever has them. `refs` counts rows of `blobs` and `manifests`.
CREATE TABLE contents (
    digest    TEXT   NOT NULL PRIMARY KEY,
    size      BIGINT NOT NULL,
    place     TEXT   NOT NULL,
    refs      BIGINT NOT NULL,
    touched   BIGINT NOT NULL,
    condemned BIGINT,
    scrubbed  BIGINT NOT NULL,
    rotten    TEXT
);
CREATE INDEX contents_unused ON contents (touched) WHERE refs = 0;
CREATE INDEX contents_by_scrub ON contents (scrubbed, digest);
CREATE INDEX contents_rotten ON contents (digest) WHERE rotten IS NOT NULL;

-- `links` counts the manifests of the repository that point to the blob; `touched` is when somebody last brought it,
-- asked for it in order to push, or took away the last such manifest.
ALTER TABLE blobs ADD COLUMN links BIGINT NOT NULL DEFAULT 0;
ALTER TABLE blobs ADD COLUMN touched BIGINT NOT NULL DEFAULT 0;
CREATE INDEX blobs_unused ON blobs (touched) WHERE links = 0;

UPDATE blobs SET links = (SELECT COUNT(*) FROM links l WHERE l.repository = blobs.repository AND l.target = blobs.digest);

INSERT INTO contents (digest, size, place, refs, touched, scrubbed)
SELECT digest, MAX(size), '', COUNT(*), 0, 0 FROM
    (SELECT digest, size FROM blobs UNION ALL SELECT digest, size FROM manifests) AS every GROUP BY digest;

-- Until when one server has an image to judge, so that another does not judge it too.
ALTER TABLE judgements ADD COLUMN claimed BIGINT NOT NULL DEFAULT 0;
