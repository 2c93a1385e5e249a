//! What the kernel and the machine have that a plan can use.

mod probe;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A machine. The default one has nothing.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about the kernel, apart from all others")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Version of the kernel: major and minor.
    pub kernel: (u32, u32),
    /// Controllers of processes' resources, and in which version of cgroups each is.
    pub controllers: BTreeMap<String, Cgroups>,
    /// Version of Landlock's interface; 0 where it is missing or off.
    pub landlock: u32,
    /// Whether system calls can be filtered with an error as the answer.
    pub seccomp: bool,
    /// How many user namespaces may be made; 0 where they are off.
    pub user_namespaces: u64,
    /// Whether folders can be laid over each other.
    pub overlay: bool,
    /// Whether files in memory can be kept from being executed, for all of a namespace of processes (`vm.memfd_noexec`).
    #[serde(default)]
    pub memfd_noexec: bool,
    /// Whether the kernel asks a program which devices may be opened (`BPF_PROG_TYPE_CGROUP_DEVICE`).
    #[serde(default)]
    pub device_programs: bool,
}

/// A version of cgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cgroups {
    /// A hierarchy for each controller.
    V1,
    /// One hierarchy.
    V2,
}

impl Host {
    /// Whether the kernel is at least this version.
    pub fn has_kernel(&self, least: (u32, u32)) -> bool {
        self.kernel >= least
    }

    /// Whether all control groups are of version 2.
    pub fn is_unified(&self) -> bool {
        !self.controllers.is_empty() && self.controllers.values().all(|version| *version == Cgroups::V2)
    }

    /// `6.1`
    pub fn kernel_name(&self) -> String {
        format!("{}.{}", self.kernel.0, self.kernel.1)
    }
}
