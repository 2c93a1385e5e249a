-- What bears on a verdict besides the bytes of the image: what is attached to it, and what it was built on.

-- How often that changed, and how much of it the verdict has heeded. Where they differ, the image is judged again, and
-- not handed out before.
ALTER TABLE judgements ADD COLUMN attached BIGINT NOT NULL DEFAULT 0;
ALTER TABLE judgements ADD COLUMN heeded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX judgements_unheeded ON judgements (digest) WHERE attached <> heeded;
-- Signatures and whose they are, bases, findings that somebody's statement set aside: as the verdict was made with them.
ALTER TABLE judgements ADD COLUMN claims BLOB;
-- Who speaks about a manifest, whatever the repository.
CREATE INDEX manifests_speaking ON manifests (subject) WHERE subject IS NOT NULL;

-- Who pushed a manifest, each once; goes with the manifest.
CREATE TABLE pushers (
    repository TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    principal  TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (repository, digest, principal)
);
CREATE INDEX pushers_by_digest ON pushers (digest);
