-- The files of the log where several servers share it: tiles, bundles and the checkpoint, under their paths.

CREATE TABLE log_files (
    path TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);
