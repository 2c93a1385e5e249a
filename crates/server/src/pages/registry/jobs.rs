//! Work that goes on: how far it is, how long it takes, what came of it.

use boltseal_api::storage::Job;
use maud::{Markup, html};

use crate::{
    pages::frame::{Part, Viewer},
    parts::{badge, link, words},
};

/// The body of `/storage/jobs`; `recent` are the few that the page of storage shows.
pub(crate) fn jobs(viewer: &Viewer, jobs: &[Job], may_change: bool, recent: bool) -> Markup {
    html! {
        div.title {
            p.crumb { a href="/storage" { "Storage" } }
            h1 { "Jobs" }
            p.lead { "Work that the registry does in the background. It goes on after a crash." }
        }
        (super::shelves(viewer, Part::Storage))
        (card(viewer, jobs, may_change, recent))
    }
}

/// The card of jobs. While one of them goes on, the script asks for the page of jobs and shows its card instead.
pub(super) fn card(viewer: &Viewer, jobs: &[Job], may_change: bool, recent: bool) -> Markup {
    let on = jobs.iter().any(|job| !job.is_over());
    let here = if recent { "/storage/jobs?recent=yes" } else { "/storage/jobs" };
    html! {
        section.card id="jobs" aria-labelledby="jobs-name" aria-live="polite" data-watch=[on.then_some(here)] {
            header {
                h2 id="jobs-name" { "Jobs" }
                @if on { a.small.unneeded href=(if recent { "/storage" } else { here }) { "Look again" } }
                @else { span.quiet.small { "nothing is running" } }
            }
            @if jobs.is_empty() { p.none { "No work has been done yet." } }
            @else { ul.lines { @for job in jobs { (item(viewer, job, may_change)) } } }
            @if recent && !jobs.is_empty() { footer { a href="/storage/jobs" { "All jobs" } } }
        }
    }
}

fn item(viewer: &Viewer, job: &Job, may_change: bool) -> Markup {
    let (class, word) = standing(job);
    html! {
        li.stack.tight {
            div.row.spread {
                span.row {
                    b { (name(job)) }
                    span class={ "badge is-" (class) } { (badge::glyph(class)) (word) }
                }
                span.quiet.small { (when(viewer, job)) }
            }
            @if !job.is_over() { (progress(job, may_change)) }
            @if let Some(message) = job.message.as_deref().filter(|text| !text.is_empty()) { p { (message) } }
        }
    }
}

/// How far it is, in a bar and in words.
fn progress(job: &Job, may_change: bool) -> Markup {
    let said = amount(job);
    html! {
        @if job.total > 0 { progress max=(job.total) value=(job.done.min(job.total)) aria-label={ (name(job)) ": " (said) } {} }
        @else { progress aria-label={ (name(job)) ": " (said) } {} }
        div.row.spread {
            span.quiet.small { (said) @if let Some(seconds) = job.eta_seconds { ", about " (words::span(seconds).unwrap_or_else(|| "a minute".to_owned())) " left" } }
            @if may_change && job.state != "stopping" { form method="post" action={ "/storage/jobs/" (link::encode(&job.id)) "/stop" } { button.slight type="submit" { "Stop" } } }
        }
    }
}

fn amount(job: &Job) -> String {
    let number = |value| if in_bytes(job) { words::bytes(value) } else { words::thousands(value) };
    match (job.done, job.total) {
        (0, 0) => "starting".to_owned(),
        (done, 0) => format!("{} so far", number(done)),
        (done, total) => format!("{} of {}", number(done), number(total)),
    }
}

fn in_bytes(job: &Job) -> bool {
    matches!(job.kind.as_str(), "collect" | "scrub" | "import" | "mirror")
}

fn name(job: &Job) -> String {
    let told = |field: &str| job.spec.get(field).and_then(serde_json::Value::as_bool).unwrap_or(false);
    let name = match job.kind.as_str() {
        "collect" if told("dry_run") => "Garbage collection, dry run",
        "collect" => "Garbage collection",
        "scrub" => "Scrub",
        "retention" => "Retention",
        "reopen" => "Second look at images",
        "import" => "Import",
        "mirror" => "Mirror",
        other => other,
    };
    name.to_owned()
}

fn standing(job: &Job) -> (&'static str, &str) {
    let class = match job.state.as_str() {
        "done" => "allow",
        "failed" => "deny",
        "waiting" | "running" => "pending",
        _ => "plain",
    };
    (class, &job.state)
}

fn when(viewer: &Viewer, job: &Job) -> Markup {
    let schedule = job.by == "schedule";
    html! {
        @if schedule { "by schedule" } @else { "by " (job.by) }
        ", "
        @match (job.started, job.ended) {
            (Some(started), Some(ended)) => {
                (words::ago(ended, viewer.now)) ", took "
                (words::span(ended.as_second().abs_diff(started.as_second())).unwrap_or_else(|| "less than a minute".to_owned()))
            },
            (_, Some(ended)) => (words::ago(ended, viewer.now)),
            (Some(started), None) => { "started " (words::ago(started, viewer.now)) },
            (None, None) => { "asked for " (words::ago(job.requested, viewer.now)) },
        }
    }
}
