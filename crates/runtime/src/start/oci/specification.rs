//! The specification of a sealed container, changed so that it starts with this program.

use oci_spec::runtime::{Mount, Spec};
use serde_json::json;

use super::first::{self, Request};
use crate::start::{
    Error, Start,
    attend::Attended,
    inside::{Bound, Inside, is_loaders},
    seal::Files,
};

/// Where the runtime starts it. It goes to the workload's own folder itself, when nothing of the machine is open in it any more: a
/// folder of an image called `/proc/self/fd/7` leads nowhere then.
const FOLDER: &str = "/";

/// The change. What is bound is mounted last, so over `/dev`.
pub(super) fn changed(specification: &Spec, wanted: &Start) -> Result<Spec, Error> {
    let inside = Inside::of_this_process().map_err(Error::io("this program inside the container"))?;
    change(specification, wanted.log_limit, wanted.attended, &inside)
}

fn change(
    specification: &Spec,
    log_limit: u64,
    attended: Option<Attended>,
    inside: &Inside,
) -> Result<Spec, Error> {
    let wrong = |error: serde_json::Error| Error::Runtime(format!("its specification: {error}"));
    let mut changed = specification.clone();
    let mut mounts = changed.mounts().clone().unwrap_or_default();
    for bound in inside.bound() {
        mounts.push(mount(&bound).map_err(wrong)?);
    }
    changed.set_mounts(Some(mounts));
    let Some(process) = changed.process_mut() else {
        return Err(Error::Runtime("its specification has no process".to_owned()));
    };
    let env = process.env().clone().unwrap_or_default();
    let name = |line: &String| line.split('=').next().is_some_and(is_loaders);
    let (withheld, given): (Vec<String>, Vec<String>) = env.into_iter().partition(name);
    let pair = |line: &String| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Request {
        files: Files::of(specification),
        env: withheld.iter().filter_map(pair).collect(),
        folder: process.cwd().clone(),
        log_limit,
        attended,
    };
    let command = process.args().clone().unwrap_or_default();
    process.set_args(Some(inside.command(first::ROLE, &request, &command).map_err(wrong)?));
    process.set_env(Some(given));
    process.set_cwd(FOLDER.into());
    Ok(changed)
}

fn mount(bound: &Bound) -> serde_json::Result<Mount> {
    let options: &[&str] = if bound.program {
        &["bind", "ro", "nosuid", "nodev"]
    } else {
        &["bind", "ro", "nosuid", "nodev", "noexec"]
    };
    serde_json::from_value(
        json!({ "destination": bound.target, "type": "bind", "source": bound.source, "options": options }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_and_what_is_not() {
        let before: Spec = serde_json::from_value(json!({
            "ociVersion": "1.0.2", "root": { "path": "rootfs", "readonly": true },
            "process": {
                "user": { "uid": 7, "gid": 8 }, "args": ["/web", "a b"], "cwd": "/proc/self/fd/7",
                "env": ["PATH=/bin", "LD_PRELOAD=/my.so"], "noNewPrivileges": true,
            },
            "mounts": [
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"] },
                { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"] },
            ],
        }))
        .unwrap();
        let inside = Inside::found(["/dev/boltseal/boltseal"].into_iter()).unwrap();
        let after = change(&before, 5, None, &inside).unwrap();
        let mounts = after.mounts().clone().unwrap();
        assert_eq!(mounts.len(), 3);
        assert_eq!(mounts[2].destination().to_str(), Some("/dev/boltseal/boltseal"));
        assert!(mounts[2].options().iter().flatten().any(|option| option == "ro"));
        let process = after.process().clone().unwrap();
        let args = process.args().clone().unwrap();
        assert_eq!((args[0].as_str(), args[1].as_str()), ("/dev/boltseal/boltseal", "__init"));
        assert_eq!(args[3..], ["/web", "a b"]);
        let request: Request = serde_json::from_str(&args[2]).unwrap();
        assert_eq!(request.folder.to_str(), Some("/proc/self/fd/7"));
        assert_eq!(request.env, [("LD_PRELOAD".to_owned(), "/my.so".to_owned())]);
        assert_eq!(request.files.writable.into_iter().collect::<Vec<_>>(), ["/tmp"]);
        assert_eq!(
            (process.env().clone().unwrap(), process.cwd().to_str()),
            (vec!["PATH=/bin".to_owned()], Some("/"))
        );
        assert_eq!(
            (process.user(), process.no_new_privileges()),
            (before.process().as_ref().unwrap().user(), Some(true))
        );
    }
}
