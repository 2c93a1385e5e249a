//! The registry as clients see it.

mod api;
mod gate;
mod peers;
mod world;
