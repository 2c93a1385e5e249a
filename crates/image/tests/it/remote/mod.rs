//! The client of registries, against a real one and against ones that misbehave.

mod copies;
mod peer;
mod scripted;
mod wire;
