//! What this node opens to containers of its engines, in a file that its administrator writes.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

/// All but the version may be left out. What is not opened is closed.
///
/// ```yaml
/// version: 1
/// capabilities: []        # what containers may keep of root's powers: CHOWN, NET_BIND_SERVICE, …
/// privileged: false       # whether privileged containers may be made; they are then left as they are
/// host_namespaces: []     # network, pid, ipc, uts
/// mounts: []              # folders of the machine that may be mounted, with what is below
/// devices: []             # /dev/fuse, or a rule: c 10:229
/// executable: []          # folders within containers that stay executable although they can be written to
/// new_privileges: false   # whether setuid programs work
/// seccomp: sealed         # or `engine`: the list that the engine brings
/// landlock: true
/// read_only_root: false   # whether the root of every container is read-only
/// engine_folders: []      # where an engine keeps its own, if not where it does by default
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "lines of a file, none a state")]
pub struct Settings {
    version: u32,
    #[serde(default)]
    pub(super) capabilities: Vec<String>,
    #[serde(default)]
    pub(super) privileged: bool,
    #[serde(default)]
    pub(super) host_namespaces: Vec<Namespace>,
    #[serde(default)]
    pub(super) mounts: Vec<PathBuf>,
    #[serde(default)]
    pub(super) devices: Vec<String>,
    #[serde(default)]
    pub(super) executable: Vec<PathBuf>,
    #[serde(default)]
    pub(super) new_privileges: bool,
    #[serde(default)]
    pub(super) seccomp: Seccomp,
    #[serde(default = "yes")]
    pub(super) landlock: bool,
    #[serde(default)]
    pub(super) read_only_root: bool,
    #[serde(default)]
    pub(super) engine_folders: Vec<PathBuf>,
}

const fn yes() -> bool {
    true
}

/// A namespace that containers may share with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Namespace {
    Network,
    Pid,
    Ipc,
    Uts,
}

impl Namespace {
    pub(super) const ALL: [Self; 4] = [Self::Network, Self::Pid, Self::Ipc, Self::Uts];

    /// As the OCI runtime specification has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Pid => "pid",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
        }
    }
}

/// Whose list of system calls holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Seccomp {
    /// Ours.
    #[default]
    Sealed,
    /// The engine's; ours where it brings none.
    Engine,
}

/// Why a file of settings is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no YAML, or has other names or kinds than settings have.
    #[error("the settings are no YAML of the right shape: {0}")]
    Syntax(String),
    /// A version of tomorrow.
    #[error("version {0} of the settings is not known: write `version: 1`")]
    Version(u32),
    /// A misspelt capability would open nothing, and nobody would know why.
    #[error("`{0}` is no capability: write such as `NET_BIND_SERVICE`")]
    Capability(String),
    /// What is relative, or goes up again, is below nothing.
    #[error("`{path}` in `{setting}` is no absolute path without `..`")]
    Path {
        /// Which list.
        setting: &'static str,
        /// What stands there.
        path: PathBuf,
    },
    /// Neither a path nor a rule.
    #[error("`{0}` names no device: write such as `/dev/fuse` or `c 10:229`")]
    Device(String),
}

/// Bytes of a file of settings.
pub const MAX_SETTINGS: usize = 64 << 10;

/// Names of capabilities, without `CAP_` (`capabilities(7)`).
const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

impl Default for Settings {
    /// Everything sealed.
    fn default() -> Self {
        Self {
            version: 1,
            capabilities: Vec::new(),
            privileged: false,
            host_namespaces: Vec::new(),
            mounts: Vec::new(),
            devices: Vec::new(),
            executable: Vec::new(),
            new_privileges: false,
            seccomp: Seccomp::Sealed,
            landlock: true,
            read_only_root: false,
            engine_folders: Vec::new(),
        }
    }
}

impl Settings {
    /// The file that is written where there is none: the default, with what each line opens.
    pub const FILE: &str = "\
# What this node opens to containers of its engines. What is not opened here is dropped or refused.
# Check a change before it counts: boltseal engine check FILE
version: 1
capabilities: []        # what containers may keep of root's powers: CHOWN, NET_BIND_SERVICE, SETUID, ...
privileged: false       # whether privileged containers may be made; they are then left as they are
host_namespaces: []     # network, pid, ipc, uts
mounts: []              # folders of the machine that may be mounted, with what is below
devices: []             # /dev/fuse, or a rule: c 10:229
executable: []          # folders within containers that stay executable although they can be written to
new_privileges: false   # whether setuid programs work
seccomp: sealed         # or engine: the list that the engine brings
landlock: true
read_only_root: false   # whether the root of every container is read-only
engine_folders: []      # where an engine keeps its own, if not where it does by default
";

    /// Reads a file.
    pub fn read(text: &str) -> Result<Self, Error> {
        let mut settings: Self =
            serde_saphyr::from_str(text).map_err(|error| Error::Syntax(error.to_string()))?;
        if settings.version != 1 {
            return Err(Error::Version(settings.version));
        }
        for name in &mut settings.capabilities {
            let plain = name.to_ascii_uppercase();
            let plain = plain.strip_prefix("CAP_").unwrap_or(&plain);
            if !CAPABILITIES.contains(&plain) {
                return Err(Error::Capability(name.clone()));
            }
            *name = format!("CAP_{plain}");
        }
        let lists = [
            ("mounts", &settings.mounts),
            ("executable", &settings.executable),
            ("engine_folders", &settings.engine_folders),
        ];
        for (setting, paths) in lists {
            if let Some(path) = paths.iter().find(|path| !is_plain(path)) {
                return Err(Error::Path { setting, path: path.clone() });
            }
        }
        match settings.devices.iter().find(|device| !is_device(device)) {
            Some(device) => Err(Error::Device(device.clone())),
            None => Ok(settings),
        }
    }
}

/// Absolute, and never up again.
pub(super) fn is_plain(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|part| part == Component::ParentDir)
}

fn is_device(text: &str) -> bool {
    if text.starts_with('/') {
        return is_plain(Path::new(text));
    }
    let number = |text: &str| text == "*" || text.parse::<u32>().is_ok();
    let rule = || {
        let (kind, numbers) = text.split_once(' ')?;
        let (major, minor) = numbers.split_once(':')?;
        Some(matches!(kind, "b" | "c") && number(major) && number(minor))
    };
    rule().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_opens_nothing() {
        let read = Settings::read(Settings::FILE).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", Settings::default()));
    }

    #[test]
    fn mistakes_are_told() {
        for (text, wanted) in [
            ("version: 2", "version 2 of the settings is not known"),
            ("version: 1\ncapabilites: []", "capabilites"),
            ("version: 1\ncapabilities: [NET_BIND]", "`NET_BIND` is no capability"),
            ("version: 1\nhost_namespaces: [user]", "user"),
            ("version: 1\nmounts: [data]", "`data` in `mounts` is no absolute path"),
            ("version: 1\nmounts: [/srv/../etc]", "in `mounts` is no absolute path without `..`"),
            ("version: 1\ndevices: [fuse]", "`fuse` names no device"),
            ("version: 1\ndevices: ['c 10']", "names no device"),
            ("version: 1\nprivileged: maybe", "privileged"),
            ("", "no YAML of the right shape"),
        ] {
            let said = Settings::read(text).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
        let right =
            "version: 1\ncapabilities: [cap_chown, KILL]\ndevices: [/dev/fuse, 'c 10:*']\nmounts: [/srv]";
        assert_eq!(Settings::read(right).unwrap().capabilities, ["CAP_CHOWN", "CAP_KILL"]);
    }
}
