//! The machine a figure was measured on: without it a figure says nothing.

/// Prints processor, cores, memory, kernel and the load at the start.
pub fn print() {
    let first = |path: &str, key: &str| {
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .lines()
            .find_map(|line| {
                line.strip_prefix(key).map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
            })
            .unwrap_or_else(|| "unknown".to_owned())
    };
    let whole = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "machine: {}, {cores} cores, {} memory, Linux {}, load {}",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        whole("/proc/sys/kernel/osrelease"),
        whole("/proc/loadavg"),
    );
}
