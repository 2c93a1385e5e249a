//! Which controls hold on a machine. A runtime takes what it cannot do for done, so what it lacks is told here.

use super::{Container, Control, State};
use crate::{Host, host::Cgroups, network::Network, start::seal};

/// All of them, for one container.
pub(super) fn controls(host: &Host, network: &Network, one: &Container) -> Vec<Control> {
    let control = |name, keeps, state| Control { name, keeps, state };
    vec![
        control("user namespace", "root inside is nobody outside", user_namespace(host)),
        control("capabilities", "nothing that only root may", capabilities(one)),
        control("no new privileges", "setuid programs give nothing", State::Enforced),
        control("system calls", "what the kernel is not asked for, it gets not wrong", system_calls(host)),
        control("read-only root", "programs of the image stay what they are", State::Enforced),
        control("nothing new is executed", "what can be written to has no programs", State::Enforced),
        control("files in memory", "no program runs from memory", memory_files(host)),
        control("Landlock", "rules on files and ports within the container", landlock(host)),
        control("namespaces", "processes, names, mounts, queues of its own", State::Enforced),
        control("network", "nobody is reached, and reaches it", reached(network)),
        control("masked paths", "the machine's settings and memory", State::Enforced),
        control("devices", "no device of the machine", devices(host)),
        control("memory", "the neighbours' memory", limit(host, "memory")),
        control("processors", "the neighbours' time", limit(host, "cpu")),
        control("processes", "no fork bomb", limit(host, "pids")),
        control("open files", "the kernel's memory", State::Enforced),
    ]
}

fn reached(network: &Network) -> State {
    let openings = network.openings();
    if openings.is_empty() {
        return State::Enforced;
    }
    State::Opened(openings.into_iter().map(|opening| opening.what).collect::<Vec<_>>().join("; "))
}

fn user_namespace(host: &Host) -> State {
    if host.user_namespaces == 0 {
        return State::Unavailable(
            "user namespaces are switched off (/proc/sys/user/max_user_namespaces)".to_owned(),
        );
    }
    if host.has_kernel((5, 19)) {
        return State::Enforced;
    }
    State::Partial(format!(
        "files of the image belong to others inside: Linux {} cannot lay mapped layers over each other, 5.19 can",
        host.kernel_name()
    ))
}

fn capabilities(one: &Container) -> State {
    if one.capabilities.is_empty() { State::Enforced } else { State::Opened(one.capabilities.join(", ")) }
}

fn system_calls(host: &Host) -> State {
    if host.seccomp {
        State::Enforced
    } else {
        State::Unavailable("the kernel has no seccomp filters".to_owned())
    }
}

/// By the filter of system calls; `vm.memfd_noexec`, by which the kernel would refuse to execute them, is not set.
/// None can be made; and one that came from elsewhere would not be executed, where the kernel has a setting for that.
fn memory_files(host: &Host) -> State {
    if host.seccomp {
        State::Enforced
    } else if host.memfd_noexec {
        State::Partial(
            "the kernel executes none, but without the filter they can be mapped as code".to_owned(),
        )
    } else {
        State::Unavailable("it is kept by the filter of system calls, which the kernel lacks".to_owned())
    }
}

fn landlock(host: &Host) -> State {
    match (host.landlock, seal::landlock(host.landlock)) {
        (0, why) => State::Unavailable(why.unwrap_or_default().to_owned()),
        (_, Some(why)) => State::Partial(why.to_owned()),
        (_, None) => State::Enforced,
    }
}

/// By a controller of version 1, or by a program in the kernel where control groups are of version 2.
fn devices(host: &Host) -> State {
    let kept = match host.controllers.get("devices") {
        Some(Cgroups::V1) => true,
        _ => host.is_unified() && host.device_programs,
    };
    if kept {
        return State::Enforced;
    }
    let lacks = if host.is_unified() {
        "the kernel takes no program for that (BPF_PROG_TYPE_CGROUP_DEVICE)"
    } else {
        "the machine has no controller `devices`"
    };
    State::Partial(format!(
        "no control group keeps them: {lacks}; none is there, and none can be made without CAP_MKNOD"
    ))
}

fn limit(host: &Host, controller: &str) -> State {
    if host.controllers.contains_key(controller) {
        State::Enforced
    } else {
        State::Unavailable(format!("this machine has no control group `{controller}`"))
    }
}
