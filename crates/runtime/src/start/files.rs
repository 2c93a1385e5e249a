//! How many files a container may open, where that is more than the process that makes it may.
//!
//! A limit is lowered by everybody, and raised by root of the machine alone (`setrlimit(2)`, `CAP_SYS_RESOURCE`): within the
//! container's user namespace it would be refused. Machines without systemd give 4,096.

use libcontainer::oci_spec::runtime::{PosixRlimit, PosixRlimitType, Spec};
use rustix::process::{Resource, Rlimit};

use super::Error;

/// Lets this process, and what it makes, open as many files as the specification gives the container.
pub(super) fn raise(specification: &Spec) -> Result<(), Error> {
    let limits = specification.process().as_ref().and_then(|process| process.rlimits().as_ref());
    let wanted = limits.into_iter().flatten().find(|limit| limit.typ() == PosixRlimitType::RlimitNofile);
    let Some(wanted) = wanted.map(PosixRlimit::hard) else { return Ok(()) };
    let now = rustix::process::getrlimit(Resource::Nofile);
    if now.maximum.is_none_or(|most| most >= wanted) {
        return Ok(());
    }
    let raised = Rlimit { current: now.current, maximum: Some(wanted) };
    rustix::process::setrlimit(Resource::Nofile, raised).map_err(Error::io(format!("{wanted} open files")))
}
