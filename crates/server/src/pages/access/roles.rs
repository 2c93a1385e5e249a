//! What may be given: roles and what they allow.

use boltseal_identity::{Action, Directory, Role, ScopeMap};
use maud::{Markup, html};

/// The body of `/access/roles`.
pub(crate) fn roles(directory: &Directory, wanted: &str) -> Markup {
    let mut those: Vec<(&Role, usize)> = directory
        .roles()
        .map(|role| (role, directory.assignments().filter(|given| given.role == role.id).count()))
        .collect();
    those.sort_by(|(a, given), (b, taken)| taken.cmp(given).then_with(|| a.name.cmp(&b.name)));
    html! {
        div.title {
            p.crumb { a href="/access" { "Access" } " / roles" }
            h1 { "Roles" }
            p.lead { "Azure’s roles under Azure’s numbers, and our own. Owner, Contributor and Reader manage things and see no images, secrets or log." }
        }
        section.card {
            @for (role, times) in those { (one(role, times, role.name == wanted)) }
        }
        @if directory.scope_maps().next().is_some() { (maps(directory)) }
    }
}

fn one(role: &Role, times: usize, open: bool) -> Markup {
    let allowed: Vec<Action> =
        Action::ALL.iter().copied().filter(|action| role.permitted().contains(*action)).collect();
    html! {
        details.role open[open] {
            summary {
                span.name { (role.name) }
                @if !role.built_in { " " span.tag { "custom" } }
                span.quiet.small { @match times { 0 => "not given", 1 => "given once", n => { "given " (n) " times" } } }
                p.quiet { (role.description) }
            }
            div.body {
                @if allowed.is_empty() { p.quiet { "Nothing that exists here." } }
                @else {
                    dl.facts.wide {
                        @for action in allowed { dt { (action.about().trim_end_matches('.')) } dd { code.small.path.quiet { (action.name()) } } }
                    }
                }
                @if let Some(condition) = &role.condition { p.quiet.small { "Only where:" } pre.text.inset { (condition) } }
                p.quiet.small.mono { (role.id) }
            }
        }
    }
}

fn maps(directory: &Directory) -> Markup {
    html! {
        section.card aria-labelledby="maps" {
            header { h2 id="maps" { "Scope maps" } span.quiet.small { "what tokens for repositories may do" } }
            @for map in directory.scope_maps() { (scope_map(map)) }
        }
    }
}

fn scope_map(map: &ScopeMap) -> Markup {
    html! {
        details.role {
            summary { span.name { (map.name) } span.quiet.small { (map.registry) } @if !map.description.is_empty() { p.quiet { (map.description) } } }
            div.body { ul.plain.mono.small { @for action in &map.actions { li { (action) } } } }
        }
    }
}
