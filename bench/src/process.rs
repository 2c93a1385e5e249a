//! What a whole process costs, by the kernel's own accounting.
//!
//! The kernel tells a parent what all its finished children used together, so each measured command gets a parent of
//! its own: this program again, as `__supervise`.

use std::{
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};

/// The hidden first argument of the parent.
pub const SUPERVISE: &str = "__supervise";

/// What one run used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time, milliseconds.
    pub cpu: f64,
    /// Milliseconds.
    pub wall: f64,
    /// Largest resident set, MiB.
    pub memory: f64,
}

/// Runs `command` once with its output thrown away; `accepted` are its good exit codes.
pub fn measure(command: &[&str], accepted: &[i32]) -> Result<Usage> {
    let output = Command::new(std::env::current_exe()?)
        .arg(SUPERVISE)
        .args(command)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("running {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [code, cpu, wall, memory] = *numbers.as_slice() else {
        anyhow::bail!("no figures of {command:?}: {text}")
    };
    ensure!(accepted.contains(&(code as i32)), "{command:?} exited with {code}");
    Ok(Usage { cpu, wall, memory })
}

/// The parent's half of [`measure`].
pub fn supervise(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command to supervise")?;
    let began = Instant::now();
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let wall = began.elapsed().as_secs_f64() * 1e3;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e3;
    println!("{} {cpu} {wall} {}", status.code().unwrap_or(-1), usage.max_rss() as f64 / 1024.0);
    Ok(())
}

/// A line of `/proc/PID/status` in MiB, such as `VmRSS` or `VmHWM`.
pub fn memory_of(pid: u32, line: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|l| {
            l.strip_prefix(line)?.strip_prefix(':')?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
        })
        .with_context(|| format!("no {line} of process {pid}"))?;
    Ok(kib / 1024.0)
}

/// Where `program` is on PATH.
pub fn on_path(program: &str) -> Option<String> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .map(|path| path.display().to_string())
}

/// The release binary of the workspace, built when it is not there.
pub fn boltseal() -> Result<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let status = Command::new("cargo").args(["build", "--release", "--quiet"]).current_dir(root).status()?;
    ensure!(status.success(), "cargo build --release failed");
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
    Ok(format!("{folder}/release/boltseal"))
}
