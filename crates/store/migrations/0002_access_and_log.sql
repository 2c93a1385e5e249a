-- Who may do what, as documents that `identity` understands, and entries of the log until the log has taken them over.

CREATE TABLE documents (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- One row a commit. `body` holds `count` entries, each after its length (16 bits, big endian).
CREATE TABLE entries (
    first BIGINT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    body  BLOB   NOT NULL
);

-- Principals are documents now, and sessions sealed tokens; the first start after this makes `admin` anew.
DROP TABLE principals;
DROP TABLE sessions;

-- Tokens and sessions that were ended before their time.
CREATE TABLE revoked (
    token   TEXT   NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);
