//! Calls to Linux as safe handles: the only crate of Boltseal that may contain `unsafe`.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let map = boltseal_sys::map(&std::fs::File::open("/proc/self/exe")?)?;
//! assert_eq!(map.as_ref().get(..4), Some(&b"\x7fELF"[..]));
//! # Ok(()) }
//! ```
//!
//! Each module wraps one facility, says why a safe library call cannot do the job, and exports only safe functions.
//! This crate must not know: what an image, a package or a snapshot is.

mod beneath;
mod confine;
mod devices;
mod heap;
mod inherit;
mod map;
mod mounts;
mod network;
mod process;
mod program;
mod sha256;
mod users;

pub use beneath::{Beneath, Place};
pub use confine::{is_root, landlock_version};
pub use devices::{Device, Devices};
pub use heap::give_back_freed_memory;
pub use inherit::{hand_on, handed};
pub use map::{Map, map};
pub use mounts::{PrivateMounts, map_users, private_mounts};
pub use network::network_namespace;
pub use process::{Forked, Signals, end_all_others, enter_network, fork, keep_only};
pub use program::let_go_of_code;
pub use sha256::Sha256;
pub use users::{Mapped, user_namespace};
