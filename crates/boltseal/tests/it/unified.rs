//! Control groups of version 2 alone, which the machine that tests run on may not have: tests of containers and of the agent, run
//! again in a machine of its own.

use std::{path::Path, time::Duration};

use boltseal_testkit::{Guest, peer, shared};

use crate::node::ALPINE;

/// Programs that those tests start.
const PROGRAMS: &[&str] =
    &["cat", "cp", "env", "grep", "gzip", "ip", "kill", "mknod", "nsenter", "rm", "sleep", "tar", "unshare"];
/// What is run: a group is started by an agent, joined, stopped, started again and removed, and nothing of it is left; it outlives
/// its agent; its limits stand, and what ends for want of memory is told so; no device of the machine opens.
const TESTS: [&str; 4] = [
    "groups::a_container_that_runs_beside_others",
    "groups::containers_outlive_the_agent",
    "limits::limits_stand_in_control_groups",
    "sealed::no_device_of_the_machine_opens",
];
/// Some minutes of what is emulated.
const PATIENCE: Duration = Duration::from_mins(30);

#[test]
fn containers_on_cgroups_2() {
    let Some(mut guest) = Guest::new() else { return };
    let Some(image) = shared(ALPINE) else { return };
    guest.programs(PROGRAMS);
    if peer("runc").is_none() {
        return;
    }
    guest.programs(&["runc"]);
    let tests = std::env::current_exe().unwrap();
    for program in [&tests, Path::new(env!("CARGO_BIN_EXE_boltseal"))] {
        guest.program(program);
    }
    guest.file(&image, &format!("/shared/{ALPINE}"));
    // What commands say is held to it.
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/groups.schema.json");
    guest.file(Path::new(schema), schema);
    let script = format!(
        "export BOLTSEAL_SHARED=/shared BOLTSEAL_TEST_PEERS=required\n\
         ! grep -q ' - cgroup ' /proc/self/mountinfo || exit 9\n\
         {} --exact --test-threads=1 {}\n",
        tests.display(),
        TESTS.join(" ")
    );
    let ended = guest.run(&script, PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    for test in TESTS {
        assert!(ended.said.contains(&format!("test {test} ... ok")), "{test} was not run: {}", ended.said);
    }
}
