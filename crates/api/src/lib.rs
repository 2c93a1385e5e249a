//! The control plane's contract: what is sent and answered under `/api/v1`, one file a resource, and a client for it.
//!
//! The server answers with these types, the command line asks with them; so neither can drift from the other. Paths
//! are relative to the server's address and stand in the documentation of each type.
//!
//! - [`access`]: who somebody is and what they may do; principals, credentials, roles, assignments.
//! - [`own`]: one's own credentials; sign-in through another issuer.
//! - [`life`]: locks, immutable tags, quotas, and what was deleted and can be taken back.
//! - [`admission`]: how the webhooks of Kubernetes answer.
//! - [`audit`]: records of what happened, their proofs, and how the log stands.
//! - [`upstreams`]: other registries: caches, mirrors, imports.
//! - [`storage`]: what is stored, what of it is garbage or damaged, and work that takes a while.
//! - [`search`]: finding things by name.
//! - [`findings`]: what became newly vulnerable, and what did not stay so.
//! - [`notifications`]: rules about who is told of that.
//! - [`webhooks`]: other systems that are told of what happens to images.
//! - [`aging`]: images that should be built again.
//! - [`base`](mod@base): what an image was built on.
//! - [`credentials`]: credentials that lie in images, and where.
//! - [`exceptions`]: pardons from the policy, and who approved them.
//! - [`policies`]: policies that were put in force, one after the other.
//! - [`retention`]: rules about which images are kept and which are deleted.
//! - [`groups`]: container groups on a node, as its agent is asked by a socket.
//! - [`running`]: what runs on nodes, and who of it has something.
//! - [`workloads`]: tokens of workloads, for the containers that run as them.
//! - [`problem`]: what every refusal looks like (RFC 9457).
//! - [`client`]: asks a server, with the credentials of whoever logged in.
//!
//! Times are RFC 3339, UTC. Names of fields are those of the documentation; what is absent is left out. Unknown fields
//! are ignored on both sides, so that an older client talks to a newer server.
//!
//! This crate must not know: how anything is decided, stored or shown.

pub mod access;
pub mod admission;
pub mod aging;
pub mod audit;
pub mod base;
pub mod client;
pub mod credentials;
pub mod custody;
pub mod exceptions;
pub mod findings;
pub mod groups;
pub mod life;
pub mod notifications;
pub mod own;
pub mod policies;
pub mod problem;
pub mod retention;
pub mod running;
pub mod search;
pub mod storage;
pub mod upstreams;
pub mod webhooks;
pub mod workloads;
