//! What is wrong with what runs, for people.

use std::fmt::Write as _;

use boltseal_agent::groups::{
    outdated::{Aged, Rebuilt, Worse},
    stock::answers::{Findings, Running, Source, Where},
};
use boltseal_api::running::{Place, Places, Used};
use boltseal_inventory::{Found, How, Kind, Use, Why};
use boltseal_model::{Digest, Severity};

use super::{
    packages::grid_without_gaps,
    paint::{Paint, clean, count},
};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;
/// Gaps of one image that are listed; `--format json` has all.
const GAPS: usize = 3;

/// Containers and their findings.
pub fn findings(found: &Findings, paint: Paint) -> String {
    let rows = found.containers.iter().map(|one| {
        let number = |severity: &[Severity]| match &one.row.findings {
            None => "?".to_owned(),
            Some(counts) => {
                let all: usize = counts
                    .iter()
                    .filter(|count| severity.contains(&count.severity))
                    .map(|count| count.all)
                    .sum();
                all.to_string()
            }
        };
        let used = |of: fn(&boltseal_inventory::Counted) -> usize| match &one.row.findings {
            None => "?".to_owned(),
            Some(counts) => counts.iter().map(of).sum::<usize>().to_string(),
        };
        [
            one.row.container.name.clone(),
            number(&[Severity::Critical]),
            number(&[Severity::High]),
            number(&[Severity::Medium]),
            number(&[Severity::Low, Severity::Negligible, Severity::Unknown]),
            used(|count| count.executed),
            used(|count| count.loaded),
            worst(one),
        ]
    });
    let head = ["container", "critical", "high", "medium", "other", "executed", "loaded", "worst"];
    let mut out = grid_without_gaps(&head, rows, paint);
    out.push('\n');
    for one in &found.containers {
        let _ = writeln!(out, "{}: {}", clean(&one.row.container.name), clean(&next(one)));
    }
    let _ = writeln!(out, "{}", paint.dim(&source(&found.source)));
    for one in &found.containers {
        for gap in one.gaps.iter().take(GAPS) {
            let _ = writeln!(out, "{}: not covered: {}", clean(&one.row.container.name), clean(gap));
        }
        if let Some(more) = one.gaps.len().checked_sub(GAPS).filter(|more| *more > 0) {
            let _ = writeln!(out, "{}: and {} more", clean(&one.row.container.name), count(more, "gap"));
        }
    }
    out
}

fn worst(one: &Running) -> String {
    let Some(worst) = one.row.worst.as_ref().filter(|_| one.row.findings.is_some()) else {
        return String::new();
    };
    let id = worst.found.vulnerability.as_deref().unwrap_or_default();
    let used = match worst.used {
        Some(How::Executed) => ", executed",
        Some(How::Loaded) => ", loaded",
        None => "",
    };
    format!("{id} in {}{used}", worst.found.package)
}

fn next(one: &Running) -> String {
    if let Some(why) = &one.unknown {
        return format!("not known: {why}");
    }
    match (&one.fix, &one.row.findings) {
        (Some(fix), _) => {
            format!("have {} {} instead of {}: removes {}", fix.package, fix.to, fix.from, fix.removes)
        }
        (None, Some(findings)) if findings.is_empty() && one.row.is_complete => "nothing".to_owned(),
        (None, Some(findings)) if findings.is_empty() => {
            "nothing is known, and not all is covered".to_owned()
        }
        (None, Some(_)) => "wait: nobody has fixed these".to_owned(),
        (None, None) => "not known".to_owned(),
    }
}

fn source(source: &Source) -> String {
    match source {
        Source::Feeds { built, .. } => {
            format!("by the vulnerability data of this machine of {}", built.strftime("%Y-%m-%d %H:%M UTC"))
        }
        Source::Server { address } => format!("by what {} found", clean(address)),
        Source::Nothing { why } => clean(why),
    }
}

/// Images and what is newer.
pub fn outdated(images: &[Aged], paint: Paint) -> String {
    let short = |digest: &Digest| digest.to_string().chars().take(SHORT).collect::<String>();
    let mut out = String::new();
    for image in images {
        let containers = clean(&image.containers.join(", "));
        let word = if image.is_outdated() { "" } else { ": nothing newer is known" };
        let _ = writeln!(out, "{} runs as {containers}{word}", paint.bold(&clean(&image.image)));
        if let Some(now) = &image.moved {
            let _ = writeln!(out, "  its name means another image now: {}", short(now));
        }
        if let Some(newer) = &image.newer {
            let _ = writeln!(out, "  a newer version: {}", clean(newer));
        }
        if let Some(Rebuilt { name, digest }) = &image.base {
            let now = digest.as_ref().map(|now| format!(", which is {} now", short(now)));
            let _ = writeln!(out, "  its base was built again: {}{}", clean(name), now.unwrap_or_default());
        }
        if let Some(Worse { then, now, why }) = &image.verdict {
            let now = paint.decision(*now, now.word());
            let _ = writeln!(out, "  its verdict was {} and is {now}: {}", then.word(), clean(why));
        }
        for why in &image.unknown {
            let _ = writeln!(out, "  {}", paint.alarm(&format!("not found out: {}", clean(why))));
        }
        for why in &image.untold {
            let _ = writeln!(out, "  {}", paint.dim(&format!("not told: {}", clean(why))));
        }
    }
    if out.is_empty() {
        out.push_str("nothing runs\n");
    }
    out
}

/// Who has something.
pub fn places(found: &Where, paint: Paint) -> String {
    let mut out = String::new();
    let asked = clean(&found.asked);
    let answer = &found.answer;
    let kinds: Vec<&str> = answer.kinds.iter().copied().map(kind).collect();
    let _ = match (kinds.is_empty(), found.is_complete()) {
        (true, true) => writeln!(out, "Nothing that runs here has {asked}."),
        (true, false) => writeln!(out, "Nothing that was looked into has {asked}, but not all was."),
        (false, _) => writeln!(out, "{} is {}.", paint.bold(&asked), kinds.join(", and ")),
    };
    if !answer.images.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold(&count(answer.images.len(), "image")));
    }
    for image in &answer.images {
        let digest: String = image.digest.to_string().chars().take(SHORT).collect();
        let _ = writeln!(out, "  {}  {}", digest, clean(&image.names.join(", ")));
        for one in &image.found {
            let _ = writeln!(out, "    {}", what(one, paint));
        }
    }
    if !answer.running.is_empty() {
        out.push('\n');
        let rows = answer.running.iter().map(|one| {
            let (word, path) = used(&one.used);
            [one.container.name.clone(), one.container.node.clone(), word.to_owned(), path]
        });
        out.push_str(&grid_without_gaps(&["container", "machine", "use", "by"], rows, paint));
    }
    unknown(found, paint, &mut out);
    let _ = writeln!(out, "\n{}", paint.dim(&source(&found.source)));
    out
}

/// What is not known is never left out.
fn unknown(found: &Where, paint: Paint, out: &mut String) {
    let answer = &found.answer;
    for one in &answer.unknown {
        let name = clean(&one.name);
        let _ =
            writeln!(out, "{}", paint.alarm(&format!("{name}: may have it: its image was not looked into")));
    }
    for one in &found.unlooked {
        let names = clean(&one.names.join(", "));
        let _ = writeln!(out, "{}", paint.alarm(&format!("{names}: {}", clean(&one.why))));
    }
    if answer.incomplete > 0 {
        let _ = writeln!(
            out,
            "{} without it {} not looked into wholly: see `boltseal ps --findings`",
            count(answer.incomplete, "image"),
            if answer.incomplete == 1 { "was" } else { "were" }
        );
    }
}

fn what(one: &Found, paint: Paint) -> String {
    let mut text = clean(&format!("{} {}", one.package, one.version));
    if let (Some(id), Some(severity)) = (&one.vulnerability, one.severity) {
        let _ = write!(text, ": {} {}", clean(id), paint.severity(severity, severity.word()));
        let _ = match &one.fixed {
            Some(fixed) => write!(text, ", fixed in {}", clean(fixed)),
            None => write!(text, ", not fixed by anybody"),
        };
    }
    text
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "an image",
        Kind::Layer => "a layer",
        Kind::File => "a file that can be executed or loaded",
        Kind::Vulnerability => "a vulnerability",
        Kind::Package => "a package",
        Kind::Key => "whose signature counts",
    }
}

fn used(used: &Use) -> (&'static str, String) {
    match used {
        Use::Executed { path } => ("executed", path.clone()),
        Use::Loaded { path } => ("loaded", path.clone()),
        Use::Present { why } => {
            let why = match why {
                Why::NoFiles => "no file of it can be executed or loaded: it is read, which nobody sees",
                Why::NoIndex => "nobody looked which of its files can be executed",
                Why::NotWatched => "not open as code now",
                Why::Lost => "not all was seen",
                Why::NotSeen => "never used since it started",
            };
            ("present", why.to_owned())
        }
    }
}

const fn used_everywhere(used: Used) -> &'static str {
    match used {
        Used::Executed => "executed",
        Used::Loaded => "loaded",
        Used::Present => "present",
    }
}

/// Who has it, on whichever node.
pub fn everywhere(found: &Places, paint: Paint) -> String {
    let row = |place: &Place| {
        [
            place.host.clone(),
            place.container.name.clone(),
            place.container.image.clone(),
            place.with.clone(),
            place.used.map_or("", used_everywhere).to_owned(),
            place.container.since.strftime("%Y-%m-%d %H:%M").to_string(),
        ]
    };
    let mut out = String::new();
    if found.containers.is_empty() {
        let _ = writeln!(out, "nothing that runs has {}, as far as is known", clean(&found.asked));
    } else {
        let head = ["node", "container", "image", "with", "use", "since (UTC)"];
        out = grid_without_gaps(&head, found.containers.iter().map(row), paint);
        out.push('\n');
    }
    if found.more {
        let _ = writeln!(out, "there are more than are told");
    }
    for place in &found.unknown {
        let _ = writeln!(
            out,
            "{}: {}: its image was never scanned by the server, so it is not known",
            clean(&place.host),
            clean(&place.container.name)
        );
    }
    for node in found.nodes.iter().filter(|node| node.silent) {
        let at = node.reported.strftime("%Y-%m-%d %H:%M UTC");
        let _ = writeln!(out, "{}: silent since {at}: what it runs by now is not known", clean(&node.host));
    }
    if found.nodes.is_empty() {
        let _ = writeln!(out, "no node tells this server what it runs: boltseal agent --groups --server");
    }
    out
}
