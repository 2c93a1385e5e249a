//! What is stored, what of it is garbage, and jobs, for people.

use std::fmt::Write as _;

use boltseal_api::storage::{Garbage, Job, RepositorySize, Storage};

use super::{
    access::{line, moment},
    packages::grid,
    paint::{Paint, clean, cut},
};

/// Characters of a job's message in a list.
const MESSAGE: usize = 80;

/// How much is stored.
pub fn storage(storage: &Storage, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "stored", &format!("{} in {}", size(storage.bytes), things(storage.contents)));
    let referenced = size(storage.referenced);
    let sharing = format!("{referenced} as repositories count it: {:.2} times", storage.dedupe_ratio);
    line(&mut out, "shared", &sharing);
    line(&mut out, "garbage", &size(storage.garbage_bytes));
    if let (Some(free), Some(whole)) = (storage.disk_free, storage.disk_size) {
        line(&mut out, "disk", &format!("{} free of {}", size(free), size(whole)));
    }
    let damaged = if storage.rotten_count == 0 {
        "nothing".to_owned()
    } else {
        paint.alarm(&format!("{} damaged: push them again", things(storage.rotten_count)))
    };
    line(&mut out, "damaged", &damaged);
    for one in &storage.rotten {
        let _ = writeln!(out, "  {}  {}", one.digest, clean(&one.why));
        let _ = writeln!(out, "    {}", paint.dim(&clean(&one.repositories.join(" "))));
    }
    out.push('\n');
    out.push_str(&repositories(&storage.largest, paint));
    out
}

/// What would go.
pub fn garbage(garbage: &Garbage, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "garbage", &format!("{} in {}", size(garbage.bytes), things(garbage.contents)));
    line(&mut out, "unused", &format!("{} blobs that no manifest points to", garbage.unlinked));
    let settings = &garbage.settings;
    let every = if settings.every == 0 { "only when told".to_owned() } else { every(settings.every) };
    line(&mut out, "collected", &format!("{every}, {} after the last use", span(settings.grace)));
    if let Some(last) = &garbage.last {
        let message = clean(last.message.as_deref().unwrap_or_default());
        line(&mut out, "last", &format!("{}: {}, {message}", moment(last.requested), last.state));
    }
    if !garbage.largest.is_empty() {
        out.push('\n');
        let rows = garbage.largest.iter().map(|one| [one.digest.clone(), size(one.bytes)]);
        out.push_str(&grid(&["the largest", "size"], rows, paint));
    }
    if !garbage.repositories.is_empty() {
        out.push('\n');
        out.push_str(&repositories(&garbage.repositories, paint));
    }
    out
}

/// Jobs, one a line.
pub fn jobs(all: &[Job], paint: Paint) -> String {
    let rows = all.iter().map(|job| {
        let message = cut(&clean(job.message.as_deref().unwrap_or_default()), MESSAGE);
        [job.id.clone(), job.kind.clone(), state(job), job.by.clone(), moment(job.requested), message]
    });
    grid(&["id", "kind", "state", "by", "requested", "what"], rows, paint)
}

/// One job.
pub fn job(job: &Job, _paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "job", &job.id);
    line(&mut out, "kind", &job.kind);
    line(&mut out, "state", &state(job));
    if let Some(message) = &job.message {
        line(&mut out, "what", &clean(message));
    }
    out
}

fn state(job: &Job) -> String {
    let percent = job.done.saturating_mul(100).checked_div(job.total).filter(|_| !job.is_over());
    match (percent, job.eta_seconds) {
        (Some(percent), Some(eta)) => format!("{} {percent}%, {} left", job.state, span(eta)),
        (Some(percent), None) => format!("{} {percent}%", job.state),
        (None, _) => job.state.clone(),
    }
}

fn repositories(all: &[RepositorySize], paint: Paint) -> String {
    let rows = all.iter().map(|one| [one.name.clone(), size(one.bytes), one.contents.to_string()]);
    grid(&["repository", "size", "blobs and manifests"], rows, paint)
}

fn things(number: u64) -> String {
    format!("{number} blobs and manifests")
}

fn every(seconds: u64) -> String {
    format!("every {}", span(seconds))
}

/// Seconds for people.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Bytes for people, in powers of a thousand.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (seconds, text) in [(5, "5 s"), (600, "10 min"), (7_200, "2 h"), (259_200, "3 days")] {
            assert_eq!(span(seconds), text);
        }
    }
}
