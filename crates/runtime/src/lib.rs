//! How a container is confined: a plan that says it exactly, and the bundle that a runtime is given.
//!
//! ```
//! use boltseal_runtime::{Host, State, Wanted, plan};
//!
//! let group = b"
//! type: Microsoft.ContainerInstance/containerGroups
//! name: shop
//! properties:
//!   osType: Linux
//!   containers:
//!   - name: web
//!     properties: {image: registry.example.com/shop/web, command: [/web], resources: {requests: {cpu: 1, memoryInGB: 1.5}}}
//! ";
//! let read = boltseal_orchestrator::read("group.yaml", group)?;
//! let host = Host { kernel: (6, 1), seccomp: true, user_namespaces: 1000, ..Host::default() };
//! let plan = plan(&Wanted { workload: &read.workloads[0], images: &[], host: &host, range: 0 });
//! let web = &plan.containers[0];
//! assert!(web.capabilities.is_empty() && web.no_new_privileges && web.read_only_root);
//! let seccomp = web.controls.iter().find(|one| one.name == "system calls").unwrap();
//! assert_eq!(seccomp.state, State::Enforced);
//! # Ok::<(), boltseal_orchestrator::Error>(())
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`host`] | what the kernel and the machine have |
//! | [`mod@plan`] | what is wanted, made into exactly what will hold: nothing but what the group file opens |
//! | [`seccomp`] | the system calls that a sealed container may make |
//! | [`root`] | layers, mounted as the root of a container |
//! | [`network`] | what a group may reach, and who may reach it |
//! | [`bundle`] | the plan as an OCI runtime specification, which `runc` and its kind run |
//! | [`start`] | a container made of a bundle, sealed, with its log and how it ended |
//!
//! Sealed is the default: a user namespace, no capability, no new privileges, a root that cannot be written to, and nothing
//! executable on what can be; nobody reached by network, no device, limits on everything. Each opening is a line of the
//! group file, and a line of the plan.
//!
//! A plan states what it enforces. What the host lacks is *unavailable* or *partial* with the reason, before anything starts.
//!
//! This crate must not know: registries, verdicts, the clock. Making a plan is without I/O: only [`Host::probe`] looks at the
//! machine, and only [`root`] mounts.

pub mod bundle;
pub mod host;
pub mod network;
pub mod plan;
pub mod root;
pub mod seccomp;
pub mod start;

pub use host::Host;
pub use plan::{Container, Control, Image, Opening, Plan, Refusal, State, Wanted, plan};
