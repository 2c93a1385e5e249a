//! The store from outside: what it promises about durability and visibility, and the views built on it.

mod blobs;
mod crash;
mod facts;
mod views;
