//! One principal: what it was given, what that comes to, how it proves itself, and what it did lately.

use boltseal_identity::{Action, Assignment, Directory, Principal, PrincipalId, PrincipalKind};
use maud::{Markup, html};

use super::{credentials, forms, role_name};
use crate::{
    pages::{frame::Viewer, log},
    parts::{badge, link, place, words},
    recorder::Found,
};

/// Where somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everywhere.
    Everywhere,
    /// Nowhere.
    Nowhere,
    /// At some of the repositories there are: how many of them, and the first by name.
    Some {
        /// Those.
        names: Vec<String>,
        /// How many more.
        more: usize,
        /// Of all that were asked about.
        of: usize,
    },
}

/// Everything the page shows.
pub(crate) struct Shown<'a> {
    /// Who.
    pub one: &'a Principal,
    /// Everybody.
    pub directory: &'a Directory,
    /// What it may do in plain words, and where.
    pub effects: Vec<(&'static str, Reach)>,
    /// The newest records of it; nothing for a viewer who may not read the log.
    pub recent: Option<Vec<Found>>,
    /// What of the changes on this page the viewer may make.
    pub may: Vec<Action>,
}

/// The body of `/access/{name}`.
pub(crate) fn principal(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let (one, may) = (shown.one, |action| shown.may.contains(&action));
    let (write, delete) = (may(Action::PrincipalWrite), may(Action::PrincipalDelete));
    let built_in = one.id.is_well_known();
    html! {
        div.title {
            p.crumb { a href="/access" { "Access" } " / " (one.name) }
            div.row {
                h1.path { (one.name) }
                @if one.disabled { span.badge.large.is-deny { (badge::glyph("deny")) "disabled" } }
                @else { span.badge.large.is-plain { (one.kind.word()) } }
            }
            p.lead {
                @if !one.display.is_empty() { (one.display) ". " }
                @if built_in { "In every installation." } @else { "Made " (words::ago(one.created, viewer.now)) "." }
                @if one.disabled { " Disabled: nothing may be done, whatever was given." }
            }
        }
        div.columns {
            div.stack.wide {
                (effects(one, &shown.effects))
                (given(viewer, shown))
                @if let Some(recent) = &shown.recent { (records(viewer, one, recent)) }
            }
            div.stack {
                @if one.kind == PrincipalKind::Group && !built_in { (forms::members(shown.directory, one, write)) }
                @if one.kind != PrincipalKind::Group && !built_in { (credentials::card(viewer, one, write)) }
                (groups(shown))
                (forms::state(one, write, delete))
            }
        }
    }
}

fn effects(one: &Principal, effects: &[(&'static str, Reach)]) -> Markup {
    html! {
        section.card aria-labelledby="effects" {
            header { h2.path id="effects" { "What " (one.name) " may do" } span.quiet.small { "everything given, together" } }
            dl.facts.body.wide {
                @for (what, reach) in effects {
                    dt { (what) }
                    dd { (reach_in_words(reach)) }
                }
            }
        }
    }
}

fn reach_in_words(reach: &Reach) -> Markup {
    html! {
        @match reach {
            Reach::Everywhere => span.can.is-allow { (badge::glyph("allow")) "everywhere" },
            Reach::Nowhere => span.can.quiet { (badge::glyph("plain")) "no" },
            Reach::Some { names, more, of } => {
                span.can.is-allow { (badge::glyph("allow")) (names.len() + more) " of " (of) } " "
                @for (index, name) in names.iter().enumerate() { @if index > 0 { ", " } a href=(link::repository(name)) { (name) } }
                @if *more > 0 { " and " (more) " more" }
            },
        }
    }
}

fn given(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let (one, directory) = (shown.one, shown.directory);
    let groups: Vec<&Principal> = directory.groups_of(one.id).collect();
    let through = |holder: PrincipalId| groups.iter().copied().find(|group| group.id == holder);
    let mut those: Vec<(&Assignment, Option<&Principal>)> = directory
        .assignments()
        .filter_map(|given| {
            if given.principal == one.id {
                Some((given, None))
            } else {
                through(given.principal).map(|group| (given, Some(group)))
            }
        })
        .collect();
    those.sort_by_key(|(given, group)| (group.is_some(), given.created, given.id));
    html! {
        section.card aria-labelledby="roles" {
            header { h2 id="roles" { "Roles" } a.small href="/access/roles" { "what they allow" } }
            @if let Some(map) = one.scope_map.as_ref().and_then(|map| directory.scope_map(map)) {
                div.body { p { "Scope map " b { (map.name) } ", and nothing else:" } ul.plain.mono.small { @for action in &map.actions { li { (action) } } } }
            } @else if those.is_empty() { p.none { "None." } }
            @if !those.is_empty() {
                table.cards {
                    caption.unseen { "Roles, where they hold and until when" }
                    thead { tr { th scope="col" { "Role" } th scope="col" { "Where" } th scope="col" { "Ends" } th scope="col" { "Given" } th scope="col" { span.unseen { "Change" } } } }
                    tbody { @for (given, group) in those { (assignment(viewer, shown, given, group)) } }
                }
            }
            @if shown.may.contains(&Action::AssignmentWrite) && one.kind != PrincipalKind::Token { (forms::assign(directory, one)) }
        }
    }
}

fn assignment(viewer: &Viewer, shown: &Shown<'_>, given: &Assignment, group: Option<&Principal>) -> Markup {
    let by = shown.directory.principal(given.by);
    let over = given.expired(viewer.now);
    html! {
        tr {
            th scope="row" { b { (role_name(shown.directory, given)) } @if let Some(group) = group { div.quiet.small { "through " (place::principal(group)) } } }
            td data-label="Where" {
                div { span.path title=(given.scope) { (place::scope(&given.scope)) } @if let Some(condition) = &given.condition { div.quiet.small.path { "only where " code { (condition) } } } }
            }
            td data-label="Ends" {
                @match given.expires {
                    Some(end) if over => span.badge.is-deny { (badge::glyph("deny")) "ended " (words::ago(end, viewer.now)) },
                    Some(end) => (words::ago(end, viewer.now)),
                    None => span.quiet { "never" },
                }
            }
            td data-label="Given" { div { (words::ago(given.created, viewer.now)) @if let Some(by) = by { div.quiet.small { "by " (by.name) } } @if !given.reason.is_empty() { div.quiet.small { (given.reason) } } } }
            td {
                @if group.is_none() && shown.may.contains(&Action::AssignmentDelete) {
                    form method="post" action={ (place::address(shown.one)) "/unassign" } {
                        input type="hidden" name="assignment" value=(given.id);
                        button.slight type="submit" aria-label={ "Take " (role_name(shown.directory, given)) " away" } { "Take away" }
                    }
                }
            }
        }
    }
}

fn groups(shown: &Shown<'_>) -> Markup {
    let those: Vec<&Principal> =
        shown.directory.groups_of(shown.one.id).filter(|group| !group.id.is_well_known()).collect();
    html! {
        @if !those.is_empty() {
            section.card aria-labelledby="groups" {
                header { h2 id="groups" { "Groups" } }
                ul.lines { @for group in those { li { (place::principal(group)) @if !group.display.is_empty() { p.quiet.small { (group.display) } } } } }
            }
        }
    }
}

fn records(viewer: &Viewer, one: &Principal, recent: &[Found]) -> Markup {
    html! {
        div.stack {
            div.row.spread { h2 { "Lately" } a href=(link::query("/log", &[("who", one.name.as_str())])) { "everything it did" } }
            @if recent.is_empty() { section.card { p.none { "Nothing among the newest records." } } }
            @else { (log::list(viewer, recent)) }
        }
    }
}
