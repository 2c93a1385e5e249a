//! The store from outside: what it promises about durability and visibility, and the views built on it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod above;
mod attributes;
mod bearing;
mod blobs;
mod browse;
mod changes;
mod crash;
mod credentials;
mod databases;
mod entries;
mod facts;
mod garbage;
mod jobs;
mod kept;
mod life;
mod objects;
mod outbox;
mod pulls;
mod removed_tags;
mod running;
mod search;
mod upstreams;
mod views;
