//! How a container is confined.

use crate::{document::Item, leaf::Leaf};

/// What a container may do beyond its own files; of a workload, what holds where its containers say nothing.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// Everything, like a process of the host.
    pub privileged: Leaf<bool>,
    /// More than its parent, by setuid programs.
    pub escalation: Leaf<bool>,
    /// Whether it cannot write to its image.
    pub read_only_root: Leaf<bool>,
    /// Whether it is refused to start as root.
    pub non_root: Leaf<bool>,
    /// As whom it runs: a number, or a name of the image.
    pub user: Leaf<String>,
    /// With which group.
    pub group: Leaf<String>,
    /// The group that owns its volumes.
    pub volume_group: Leaf<i64>,
    /// Capabilities beyond those of the platform.
    pub add: Leaf<Vec<Item>>,
    /// Capabilities of the platform that it does without.
    pub drop: Leaf<Vec<Item>>,
    /// The filter of system calls: `RuntimeDefault`, `Localhost`, `Unconfined`.
    pub seccomp: Leaf<String>,
    /// The profile of `AppArmor`, in the same words.
    pub apparmor: Leaf<String>,
    /// The label of `SELinux`.
    pub selinux: SeLinux,
    /// `Default`, or `Unmasked`: everything of `/proc`.
    pub proc_mount: Leaf<String>,
    /// Whether it is a process of a Windows host.
    pub windows_host_process: Leaf<bool>,
    /// The account of Active Directory that it uses.
    pub windows_account: Leaf<String>,
}

/// A label of `SELinux`.
#[derive(Clone, Debug, Default)]
pub struct SeLinux {
    /// `container_t`
    pub kind: Leaf<String>,
    /// The user of the label.
    pub user: Leaf<String>,
    /// The role of the label.
    pub role: Leaf<String>,
}
