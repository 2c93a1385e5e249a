-- Bytes in an object store, and upload sessions that any server can go on with.

-- `state` says how to go on, in words of the blob store. One request has a session at a time: the one that is named,
-- until then.
ALTER TABLE uploads ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN claimant TEXT;
ALTER TABLE uploads ADD COLUMN claimed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX uploads_by_age ON uploads (touched);

-- Objects that may exist and that `contents` does not name. A row comes before the first byte of its object goes out, so
-- that what a crash leaves is found without listing the store.
CREATE TABLE objects (
    place     TEXT   NOT NULL PRIMARY KEY,
    -- The session whose bytes it has. It lives as long as that.
    upload    TEXT,
    -- What the object store calls an upload in parts.
    multipart TEXT,
    -- From when on nobody can need it.
    due       BIGINT,
    -- 1: it is being removed, and nobody may name it any more.
    doomed    BIGINT NOT NULL
);
CREATE INDEX objects_by_due ON objects (due);
CREATE INDEX objects_by_upload ON objects (upload);
