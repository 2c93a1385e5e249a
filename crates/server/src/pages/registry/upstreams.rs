//! Other registries: those that repositories here are caches of, and those that are copied from by schedule.

use boltseal_api::upstreams::{Asked, Mirror, MirrorStatus, Transfer, UpstreamStatus};
use maud::{Markup, html};

use super::every;
use crate::{
    pages::frame::{Part, Viewer},
    parts::{badge, link, words},
};

/// What the page shows.
pub(crate) struct Shown<'a> {
    pub upstreams: &'a [UpstreamStatus],
    pub mirrors: &'a [MirrorStatus],
    /// Whether the viewer may change any of it.
    pub may_change: bool,
}

/// The body of `/upstreams`.
pub(crate) fn upstreams(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        div.title {
            h1 { "Upstreams and mirrors" }
            p.lead { "An upstream is asked when somebody pulls what is not here; a mirror is copied by schedule. Either way an image passes the same gate as if it had been pushed." }
        }
        (super::shelves(viewer, Part::Upstreams))
        (caches(viewer, shown))
        (mirrors(viewer, shown))
    }
}

fn state(on: bool, word_on: &str, word_off: &str) -> Markup {
    let (class, word) = if on { ("allow", word_on) } else { ("plain", word_off) };
    html! { span class={ "badge is-" (class) } { (badge::glyph(class)) (word) } }
}

fn caches(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        section.card aria-labelledby="upstreams" {
            header { h2 id="upstreams" { "Upstreams" } span.quiet.small { "pull-through caches" } }
            @if shown.upstreams.is_empty() { p.none { "None: only what is pushed here can be pulled." } }
            @else { ul.lines { @for one in shown.upstreams { (cache(viewer, one, shown.may_change)) } } }
        }
        @if shown.may_change { (new_cache()) }
    }
}

fn cache(viewer: &Viewer, status: &UpstreamStatus, may_change: bool) -> Markup {
    let (one, asked) = (&status.upstream, status.asked.as_ref().filter(|_| status.upstream.enabled));
    let trouble = asked.and_then(|asked| asked.trouble.as_deref());
    let there = if one.path.is_empty() { one.host.clone() } else { format!("{}/{}", one.host, one.path) };
    html! {
        li.stack.tight {
            div.row.spread {
                span.row {
                    b { (one.name) }
                    @if trouble.is_some() { span class="badge is-deny" { (badge::glyph("deny")) "failing" } }
                    @else { (state(one.enabled, "on", "off")) }
                }
                @if may_change { form method="post" action={ "/upstreams/" (link::encode(&one.name)) "/remove" } { button.slight type="submit" { "Remove" } } }
            }
            p { code { (one.prefix) "/…" } " is a cache of " code { (there) "/…" } }
            @if one.enabled { (answered(viewer, asked)) }
            p.quiet.small {
                "A tag is compared " @if one.ttl == 0 { "at every pull" } @else { "every " (every(one.ttl)) }
                @if let Some(name) = &one.username { ", signed in as " (name) } @else { ", anonymous" }
                @if one.plain_http { ", without TLS" }
                @if !one.allow.is_empty() { ", only " code { (one.allow.join(", ")) } }
                @if !one.deny.is_empty() { ", never " code { (one.deny.join(", ")) } }
            }
        }
    }
}

/// Whether it gave an answer when somebody last needed it.
fn answered(viewer: &Viewer, asked: Option<&Asked>) -> Markup {
    html! {
        @match asked {
            Some(Asked { at, trouble: Some(trouble) }) => p { (trouble) span.quiet.small { ", " (words::ago(*at, viewer.now)) ". What is here is served as it was." } },
            Some(Asked { at, trouble: None }) => p.quiet.small { "Answered " (words::ago(*at, viewer.now)) },
            None => p.quiet.small { "Not asked yet" },
        }
    }
}

fn field(label: &str, name: &str, example: &str) -> Markup {
    html! { label.field { (label) input type="text" name=(name) placeholder=(example) autocomplete="off" spellcheck="false" autocapitalize="none"; } }
}

fn needed(label: &str, name: &str, example: &str) -> Markup {
    html! { label.field { (label) input type="text" name=(name) placeholder=(example) required autocomplete="off" spellcheck="false" autocapitalize="none"; } }
}

fn secret() -> Markup {
    html! { label.field { "Password or token there" input type="password" name="password" autocomplete="off"; } }
}

fn new_cache() -> Markup {
    html! {
        details.card.group {
            summary { "Add an upstream" }
            form.grid method="post" action="/upstreams" {
                (needed("Name", "name", "hub"))
                (needed("Prefix here", "prefix", "hub"))
                (needed("Registry", "host", "docker.io"))
                (field("Path there", "path", "library"))
                (field("User there", "username", "none"))
                (secret())
                button.primary type="submit" { "Add" }
            }
        }
    }
}

fn mirrors(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    html! {
        section.card aria-labelledby="mirrors" {
            header { h2 id="mirrors" { "Mirrors" } span.quiet.small { "copies by schedule" } }
            @if shown.mirrors.is_empty() { p.none { "None: nothing is copied by schedule." } }
            @else { ul.lines { @for status in shown.mirrors { (mirror(viewer, status, shown.may_change)) } } }
        }
        @if shown.may_change { (new_mirror()) }
    }
}

fn mirror(viewer: &Viewer, status: &MirrorStatus, may_change: bool) -> Markup {
    let Mirror { name, host, repositories, destination, paused, .. } = &status.mirror;
    let address = format!("/mirrors/{}", link::encode(name));
    html! {
        li.stack.tight {
            div.row.spread {
                span.row { b { (name) } (state(!paused, "on", "paused")) }
                @if may_change {
                    div.row {
                        form method="post" action={ (address) "/run" } { button.slight type="submit" { "Run now" } }
                        form method="post" action={ (address) (if *paused { "/resume" } else { "/pause" }) } { button.slight type="submit" { (if *paused { "Resume" } else { "Pause" }) } }
                        form method="post" action={ (address) "/remove" } { button.slight type="submit" { "Remove" } }
                    }
                }
            }
            p { code { (host) "/" (repositories.join(", ")) } " to " code { (destination) "/…" } @if !status.mirror.tags.is_empty() { ", tags " code { (status.mirror.tags.join(", ")) } } }
            p.quiet.small {
                @match status.mirror.every {
                    Some(seconds) => { "Every " (every(seconds)) },
                    None => "Only when told to",
                }
                @if let Some(next) = status.next { ", next " @if next <= viewer.now { "now" } @else { (words::ago(next, viewer.now)) } }
            }
            @if let Some(run) = status.runs.first() { (last(viewer, run)) } @else { p.quiet.small { "Never run." } }
        }
    }
}

/// The last run, or the one that goes on.
fn last(viewer: &Viewer, run: &Transfer) -> Markup {
    let over = matches!(run.state.as_str(), "done" | "failed" | "stopped");
    let when = run.ended.or(run.started).unwrap_or(run.requested);
    let class = match run.state.as_str() {
        "done" => "allow",
        "failed" => "deny",
        _ => "pending",
    };
    html! {
        @if !over && run.total > 0 { progress max=(run.total) value=(run.done.min(run.total)) aria-label={ (words::bytes(run.done)) " of " (words::bytes(run.total)) } {} }
        p.row {
            span class={ "badge is-" (class) } { (badge::glyph(class)) (run.state) }
            span.quiet.small { (words::ago(when, viewer.now)) @if run.total > 0 { ", " (words::bytes(run.done)) @if !over { " of " (words::bytes(run.total)) } } }
        }
        @if let Some(message) = run.message.as_deref().filter(|text| !text.is_empty()) { p { (message) } }
    }
}

fn new_mirror() -> Markup {
    html! {
        details.card.group {
            summary { "Add a mirror" }
            form.grid method="post" action="/mirrors" {
                (needed("Name", "name", "base"))
                (needed("Registry", "host", "docker.io"))
                (needed("Repositories there", "repositories", "library/debian library/alpine"))
                (needed("Prefix here", "destination", "mirror"))
                (field("Tags", "tags", "12* stable"))
                label.field { "Every" select name="every" { option value="" { "only when told" } option value="3600" { "hour" } option value="21600" selected { "six hours" } option value="86400" { "day" } option value="604800" { "week" } } }
                (field("User there", "username", "none"))
                (secret())
                button.primary type="submit" { "Add" }
            }
        }
    }
}
