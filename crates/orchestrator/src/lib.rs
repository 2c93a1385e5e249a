//! What every orchestrator calls a workload, on one model, and what is wrong with it.
//!
//! ```
//! use boltseal_orchestrator::{Leaf, read};
//!
//! let file = b"
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata: {name: web, namespace: shop}
//! spec:
//!   template:
//!     spec:
//!       hostNetwork: true
//!       containers: [{name: web, image: nginx}]
//! ";
//! let read = read("web.yaml", file)?;
//! let web = &read.workloads[0];
//! assert_eq!(web.title(), "Deployment shop/web");
//! let Leaf::Set(true, place) = &web.isolation.host_network else { panic!() };
//! assert_eq!((place.line, place.path.as_str()), (8, "spec.template.spec.hostNetwork"));
//! assert!(web.containers[0].security.privileged.is_unset());
//! # Ok::<(), boltseal_orchestrator::Error>(())
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`document`] | YAML and JSON as trees in which every value knows its line |
//! | [`workload`] | the model: every value set, unset or unknown |
//! | [`dockerfile`] | what a Dockerfile says |
//! | [`mod@read`] | files to workloads, by whichever reader recognises them |
//! | [`aci`] | container groups of Azure, and what one needs to run |
//! | [`checks`] | what should be otherwise about workloads and what belongs to them; container groups by Microsoft's baseline |
//! | [`admission`] | what an API server asks, and what it is answered |
//! | [`report`] | what was found, for programs |
//! | [`validating`] | admission policies that are objects of Kubernetes themselves |
//! | [`fix`] | plain mends, as a patch |
//! | [`pss`] | the Pod Security Standards of Kubernetes, at every version |
//!
//! A new orchestrator is a folder with a `READER` and one line in [`read::ALL`].
//!
//! Input is hostile: bytes, values and levels are bounded ([`document`]), aliases count as what they stand for. What cannot
//! be told from a file is [`Leaf::Unknown`], never silence: unknown is never allow.
//!
//! This crate must not know: images as bytes, networks, policies, the clock, I/O.

pub mod aci;
pub mod admission;
mod arm;
pub mod checks;
mod docker;
pub mod dockerfile;
pub mod document;
pub mod fix;
mod hit;
mod kubernetes;
pub mod leaf;
mod marathon;
mod nomad;
mod oci;
pub mod pss;
pub mod read;
pub mod report;
mod service_fabric;
pub mod validating;
pub mod workload;

pub use hit::{Hit, Hits};
pub use leaf::{Leaf, Place};
pub use read::{Error, Gap, Object, Read, read};
pub use workload::Workload;
