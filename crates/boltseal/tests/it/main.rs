//! The real binary, used as people use it: arguments in; text, files and exit codes out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect in the plainest way"
)]

mod access;
mod applying;
mod audit;
mod azure;
mod azure_registry;
mod binary;
mod check;
mod cluster;
mod collecting;
mod commands;
mod containerd;
mod crash;
mod differences;
mod docker_gate;
mod endpoints;
mod engines;
mod escapes;
mod everywhere;
mod exceptions;
mod faults;
mod feeds;
mod fixtures;
mod found;
mod full_disk;
mod gate;
mod groups;
mod idle_layers;
mod images;
mod integrations;
mod keyless;
mod killed;
mod limits;
mod log;
mod login;
mod neighbours;
mod newcomer;
mod node;
mod notary;
mod other_runtime;
mod outdated;
mod plan;
mod plan_diff;
mod policies;
mod probes;
mod pulling;
mod quarantine;
mod readme;
mod recorded;
mod reference;
mod refusals;
mod renewed;
mod replicas;
mod resuming;
mod rollout;
mod running;
mod scans;
mod sealed;
mod secret_volumes;
mod service;
mod sign;
mod signing;
mod terminals;
mod tokens;
mod trash;
mod trust_policy;
mod unified;
mod up;
mod upstreams;
mod verify;
mod vex;
mod watching;
mod webhook;
mod workloads;
mod wrapper;
