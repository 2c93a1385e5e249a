//! What should be otherwise about container groups of Azure, and which controls of Microsoft's baseline that breaks.
//!
//! Source: "Azure security baseline for Container Instances", Microsoft Cloud Security Benchmark v1. Some rows of it are
//! older than the API: secrets from a key vault (IM-8) can be had since 2025-09-01 and are checked beyond the baseline.

pub mod baseline;
pub(super) mod confidential;
pub(super) mod network;
pub(super) mod platform;
pub(super) mod secrets;
pub(super) mod storage;

use boltseal_model::Severity;

use super::{Check, Look};
use crate::{aci::inner, document::At, workload::Workload};

/// What most of these checks have in common.
const GROUP: Check = Check {
    id: "",
    severity: Severity::Medium,
    title: "",
    why: "",
    fix: "",
    sources: &[],
    standard: None,
    only: &["aci"],
    look: Look::Workload(|_, _| ()),
};

/// The properties of a group, for what the model does not have.
fn properties(workload: &Workload) -> Option<At<'_>> {
    let node = workload.source.node.as_deref()?;
    Some(inner(&At::under(node, &workload.source.path).folding()))
}
