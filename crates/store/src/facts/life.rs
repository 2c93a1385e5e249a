//! What people forbid, limit and take back: locks, immutable tags, quotas, the trash.
//!
//! All of it is asked in the transaction of the change itself, so that no push slips between a look and the deed, on
//! whichever server it arrives. A change that is refused leaves nothing behind but what garbage collection knows.

mod immutable;
mod locks;
mod pattern;
mod quotas;
mod refusal;
mod trash;
mod usage;

pub use immutable::ImmutableRule;
pub use locks::{Attributes, Lock, LockChange, Locked};
pub(super) use locks::{against_blob, against_push, against_removal, against_write};
pub use quotas::{Quota, QuotaRow};
pub use refusal::{Measure, Refusal};
pub use trash::{Trashed, Undeleted};
pub(super) use trash::{forget, held_in_trash, remember_tag, remove};
pub use usage::Usage;
pub(super) use usage::{Wanted, add, against_quota, count_repository, count_tags, subtract};
