//! The agent: one on each node, beside the engines that run containers there. It enforces what the server decided.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use boltseal_agent::{Gate, docker};
//! use boltseal_api::client::Server;
//!
//! let server = Server { address: "https://registry.example.com:8443".into(), token: None, ca: None };
//! let plugin = docker::Plugin::new(Gate::new(server, None), docker::Settings::default(), "node-1");
//! plugin.serve("/run/docker/plugins/boltseal.sock".as_ref(), std::future::pending()).await?;
//! # Ok(()) }
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`Gate`] | verdicts of the server, asked for by digest, remembered for a second |
//! | [`docker`] | the authorization plugin of Docker and Swarm |
//! | [`network`] | the network of groups of containers: closed but for what their files open |
//! | [`groups`] | container groups, run sealed on this node |
//! | [`wrapper`] | in front of an engine's OCI runtime: what it is asked for, hardened |
//! | [`engines`] | configuration of engines that have a gate of their own: podman, CRI-O, containerd |
//!
//! It decides nothing about images: it asks for stored verdicts. Where the server cannot be asked, the answer is no, unless
//! the node's settings say otherwise, and it says which.
//!
//! This crate must not know: how verdicts come about, where they are stored, images as bytes.

pub mod docker;
pub mod engines;
mod gate;
pub mod groups;
pub mod network;
pub mod wrapper;

pub use gate::{Error, Gate, Identity};
