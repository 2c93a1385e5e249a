-- Images that a notification rule passed over because they were nowhere that it is about: the first change it did not tell of.
-- It is told of when the image gets there.
CREATE TABLE passed_over (
    rule   TEXT   NOT NULL,
    digest TEXT   NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (rule, digest)
);
