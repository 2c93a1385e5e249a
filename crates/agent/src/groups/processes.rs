//! Processes of a container, as `/proc` tells of them (`proc_pid_status(5)`).

use std::{fs, io};

use boltseal_api::groups::Process;
use boltseal_runtime::start::Started;

/// Processes that are shown; a container may have 512.
const MAX: usize = 1_024;
/// Characters of a command.
const MAX_COMMAND: usize = 4_096;
/// Milliseconds of a clock tick: the kernel tells programs of a hundred a second (`sysconf(3)`, `_SC_CLK_TCK`).
const TICK: u64 = 10;

/// All that are in the first one's namespace of processes.
pub fn of(first: Started) -> io::Result<Vec<Process>> {
    let namespace = fs::read_link(format!("/proc/{}/ns/pid", first.pid))?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // One that ends meanwhile is none.
        if fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|other| other == namespace)
            && let Some(process) = process(pid)
        {
            found.push(process);
        }
        if found.len() == MAX {
            break;
        }
    }
    found.sort_by_key(|process| process.inside);
    Ok(found)
}

/// A user of the machine as the process's own namespace counts (`user_namespaces(7)`).
fn inside_of(pid: i32, user: u32) -> Option<u32> {
    let map = fs::read_to_string(format!("/proc/{pid}/uid_map")).ok()?;
    map.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(|word| word.parse::<u32>().unwrap_or(0));
        let (inside, outside, count) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let further = user.checked_sub(outside).filter(|further| *further < count)?;
        Some(inside.saturating_add(further))
    })
}

fn process(pid: i32) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let number = |name: &str| field(name)?.split_whitespace().next()?.parse::<u64>().ok();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut times =
        stat.rsplit_once(") ")?.1.split(' ').skip(11).map(|word| word.parse::<u64>().unwrap_or(0));
    let cpu = times.next()? + times.next()?;
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let command = words.join(" ").trim_end().chars().take(MAX_COMMAND).collect::<String>();
    let inside = field("NSpid")?.split_whitespace().last()?.parse().ok()?;
    Some(Process {
        pid,
        inside,
        user: inside_of(pid, u32::try_from(number("Uid")?).ok()?)?,
        memory: number("VmRSS").unwrap_or(0).saturating_mul(1_024),
        cpu: cpu.saturating_mul(TICK),
        command: if inside == 1 { "(init)".to_owned() } else { command },
    })
}
