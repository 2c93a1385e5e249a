//! The last thing before a workload: what it may do with files (Landlock), and what it may ask the kernel for (seccomp).
//!
//! Both are taken from the bundle's specification and nothing else, so that the program that a container starts with and those
//! that join it later are sealed alike.
//!
//! Landlock gives `execute` only to what cannot be written to, `write` only to what is mounted for that, and no device can be
//! made anywhere. While it holds, nothing can be mounted either, whoever tries (`landlock(7)`).

use std::{collections::BTreeSet, fs, path::Path};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, PathFdError,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, Scope,
};
use libcontainer::workload::{Executor, ExecutorError, ExecutorValidationError};
use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};

use super::init::{self, First};
use crate::seccomp;

/// Version of Landlock whose rights are asked for; an older kernel gives what it has.
const WANTED: ABI = ABI::V6;
/// Folders that get a rule of their own; a tree with more beside a volume is executable as a whole, but for the volume's own
/// `noexec`.
const MAX_RULES: usize = 4_096;

/// How the workload of a container, or a program that joins it, comes to run.
#[derive(Clone, Debug)]
pub struct Sealing(Option<First>);

impl Sealing {
    /// Of the first program, whose parent is [`init`].
    pub const fn first(first: First) -> Self {
        Self(Some(first))
    }

    /// Of one that joins.
    pub const fn joined() -> Self {
        Self(None)
    }
}

impl Executor for Sealing {
    fn exec(&self, specification: &Spec) -> Result<(), ExecutorError> {
        let other = |error: &dyn std::fmt::Display| ExecutorError::Other(error.to_string());
        let process = specification.process().as_ref();
        let command = process.and_then(|process| process.args().clone()).unwrap_or_default();
        close(specification).map_err(|error| other(&error))?;
        match &self.0 {
            Some(first) => init::run(first, &command, &[]).map_err(|error| other(&error)),
            None => std::process::exit(init::execute(&command, &[])),
        }
    }

    fn validate(&self, specification: &Spec) -> Result<(), ExecutorValidationError> {
        let process = specification.process().as_ref();
        if process.and_then(|process| process.args().as_ref()).is_none_or(Vec::is_empty) {
            return Err(ExecutorValidationError::ArgValidationError("it names no program".to_owned()));
        }
        Ok(())
    }
}

/// Why a container is not sealed; it is not started then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Landlock refuses the rules.
    #[error("Landlock: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// A folder to rule about cannot be opened.
    #[error("Landlock: {0}")]
    Folder(#[from] PathFdError),
    /// The filter of system calls.
    #[error("{0}")]
    Seccomp(#[from] seccomp::Error),
}

/// Seals this process. There is no way back.
///
/// # Errors
/// Where the kernel has the feature and refuses it. Where it lacks one, the plan said so before.
pub fn close(specification: &Spec) -> Result<(), Error> {
    files(&Files::of(specification))?;
    Ok(seccomp::apply()?)
}

/// How much of Landlock this kernel gives to containers.
pub fn landlock(version: u32) -> Option<&'static str> {
    match version {
        0 => Some("the kernel has no Landlock, or it is switched off"),
        1 => {
            Some("files cannot be moved between folders, and truncating is not ruled about before Linux 6.2")
        }
        2 => Some("truncating files is not ruled about before Linux 6.2"),
        3 | 4 => Some("controls of devices are not ruled about before Linux 6.10"),
        5 => Some("abstract sockets of the group's other containers are not ruled about before Linux 6.12"),
        _ => None,
    }
}

/// What may be done with which files of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Folders and files that can be written to, by what is mounted there; nothing in them is executed.
    pub writable: BTreeSet<String>,
    /// What is executed wherever it lies.
    pub executable: BTreeSet<String>,
    /// Whether all else can be written to as well. Folders that are there when it is sealed stay executable then; those that are
    /// made later beside them are not.
    pub root: bool,
}

impl Files {
    /// As the specification of a sealed container says.
    pub fn of(specification: &Spec) -> Self {
        let mounts = specification.mounts().as_deref().unwrap_or_default();
        let open = mounts.iter().filter(|mount| {
            let closed = mount.options().iter().flatten().any(|option| option == "ro");
            let memory = matches!(mount.typ().as_deref(), Some("tmpfs" | "bind" | "mqueue"));
            memory && !closed && mount.destination() != Path::new("/dev")
        });
        let writable = open.map(|mount| mount.destination().display().to_string()).collect();
        Self { writable, ..Self::default() }
    }
}

/// Rules for this process about files, and abstract sockets. There is no way back.
///
/// # Errors
/// As [`close`].
pub fn files(files: &Files) -> Result<(), Error> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let devices = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    let write = AccessFs::from_all(WANTED) & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        // Not of signals: those end at the container's own processes anyway, and what joins must be able to send them.
        .scope(Scope::AbstractUnixSocket)?
        .create()?;
    rules = rule(rules, Path::new("/"), if files.root { write } else { read })?;
    rules = rule(rules, Path::new("/dev"), devices)?;
    // A process says something of itself there: its name, how it is to be ended when memory is short.
    rules = rule(rules, Path::new("/proc"), AccessFs::WriteFile.into())?;
    let mut left = MAX_RULES;
    rules = executable(rules, Path::new("/"), &files.writable, &mut left)?;
    for place in &files.writable {
        rules = rule(rules, Path::new(place), write)?;
    }
    for place in &files.executable {
        rules = rule(rules, Path::new(place), AccessFs::Execute.into())?;
    }
    let sealed = rules.restrict_self()?;
    debug_assert!(sealed.ruleset != RulesetStatus::NotEnforced || boltseal_sys::landlock_version() == 0);
    Ok(())
}

/// Lets everything be executed beneath `folder` but what can be written to.
fn executable(
    mut rules: RulesetCreated,
    folder: &Path,
    writable: &BTreeSet<String>,
    left: &mut usize,
) -> Result<RulesetCreated, Error> {
    const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
    let Ok(entries) = fs::read_dir(folder) else { return Ok(rules) };
    for entry in entries.flatten() {
        let path = entry.path();
        let Some(place) = path.to_str() else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        if writable.contains(place) || KERNELS.contains(&place) || kind.is_symlink() {
            continue;
        }
        let prefix = format!("{place}/");
        if *left > 0 && kind.is_dir() && writable.iter().any(|other| other.starts_with(&prefix)) {
            rules = executable(rules, &path, writable, left)?;
        } else if kind.is_dir() || kind.is_file() {
            *left = left.saturating_sub(1);
            rules = rule(rules, &path, AccessFs::Execute.into())?;
        }
    }
    Ok(rules)
}

/// A path that is not there needs no rule.
fn rule(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, Error> {
    match PathFd::new(path) {
        Ok(opened) => Ok(rules.add_rule(PathBeneath::new(opened, access))?),
        Err(PathFdError::OpenCall { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(rules)
        }
        Err(error) => Err(error.into()),
    }
}
