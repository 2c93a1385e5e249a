//! Other registries for people: caches and mirrors of them.

use std::fmt::Write as _;

use boltseal_api::upstreams::{Mirror, MirrorStatus, Transfer, Upstream, UpstreamStatus};

use super::{
    access::{line, moment},
    packages::grid,
    paint::{Paint, clean},
};

/// Upstreams, one a line.
pub fn upstreams(all: &[UpstreamStatus], paint: Paint) -> String {
    let rows = all.iter().map(|status| {
        let one = &status.upstream;
        let user = one.username.clone().unwrap_or_default();
        [one.name.clone(), format!("{}/", one.prefix), there(one), length(one.ttl), user, state(status).0]
    });
    grid(&["name", "here", "there", "recheck", "as", "state"], rows, paint)
}

/// One of them.
pub fn upstream(status: &UpstreamStatus, paint: Paint) -> String {
    let one = &status.upstream;
    let mut out = format!("{}\n", paint.bold(&clean(&one.name)));
    line(&mut out, "here", &format!("{}/…", one.prefix));
    line(&mut out, "there", &there(one));
    for rule in &one.rewrite {
        line(&mut out, "rewrite", &format!("{} → {}", rule.from, rule.to));
    }
    for (name, patterns) in [("allow", &one.allow), ("deny", &one.deny)] {
        if !patterns.is_empty() {
            line(&mut out, name, &patterns.join(" "));
        }
    }
    line(&mut out, "recheck", &length(one.ttl));
    if let Some(username) = &one.username {
        line(&mut out, "as", username);
    }
    let (word, more) = state(status);
    line(&mut out, "state", &format!("{word}{more}"));
    out
}

/// In a word, and what is to be said besides.
fn state(status: &UpstreamStatus) -> (String, String) {
    let (word, more) = match &status.asked {
        _ if !status.upstream.enabled => ("off", String::new()),
        None => ("not asked yet", String::new()),
        Some(asked) => match &asked.trouble {
            None => ("ok", format!(", answered {}", moment(asked.at))),
            Some(trouble) => ("failing", format!(" at {}: {trouble}", moment(asked.at))),
        },
    };
    (word.to_owned(), more)
}

fn there(one: &Upstream) -> String {
    if one.path.is_empty() { format!("{}/", one.host) } else { format!("{}/{}/", one.host, one.path) }
}

/// Mirrors, one a line.
pub fn mirrors(all: &[Mirror], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        let state = match (one.paused, one.every) {
            (true, _) => "paused".to_owned(),
            (false, Some(every)) => format!("every {}", length(every)),
            (false, None) => "when told".to_owned(),
        };
        let from = format!("{}/{}", one.host, one.repositories.join(" "));
        [one.name.clone(), from, format!("{}/", one.destination), tags(one), state]
    });
    grid(&["name", "from", "to", "tags", "when"], rows, paint)
}

fn tags(one: &Mirror) -> String {
    let mut text = if one.tags.is_empty() { "all".to_owned() } else { one.tags.join(" ") };
    if !one.skip.is_empty() {
        let _ = write!(text, ", not {}", one.skip.join(" "));
    }
    if let Some(newest) = one.newest {
        let _ = write!(text, ", the highest {newest}");
    }
    text
}

/// A mirror and its runs.
pub fn mirror(status: &MirrorStatus, paint: Paint) -> String {
    let mut out = mirrors(std::slice::from_ref(&status.mirror), paint);
    if let Some(next) = status.next {
        let _ = writeln!(out, "\nnext: {}", moment(next));
    }
    out.push('\n');
    out.push_str(&transfers(&status.runs, paint));
    out
}

fn transfers(all: &[Transfer], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        let state = match one.state.as_str() {
            "running" if one.total > 0 => format!("running, {} %", one.done.saturating_mul(100) / one.total),
            state => state.to_owned(),
        };
        let message = one.message.clone().unwrap_or_default();
        [moment(one.requested), one.by.clone(), state, message]
    });
    grid(&["asked for", "by", "state", ""], rows, paint)
}

/// The largest unit that leaves nothing over.
fn length(seconds: u64) -> String {
    for (unit, many) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds > 0 && seconds.is_multiple_of(many) {
            return format!("{}{unit}", seconds / many);
        }
    }
    format!("{seconds}s")
}
