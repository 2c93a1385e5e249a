//! Who there is, and what they were given.

pub(crate) mod credentials;
pub(crate) mod forms;
pub(crate) mod made;
pub(crate) mod principal;
pub(crate) mod roles;

use boltseal_identity::{Assignment, Directory, Principal, PrincipalKind};
use maud::{Markup, html};

use super::frame::Viewer;
use crate::parts::{
    badge,
    list::{Listed, ROWS},
    place, words,
};

/// The kinds of the filter: the word in the address, and for people.
pub(crate) const KINDS: [(&str, PrincipalKind); 5] = [
    ("user", PrincipalKind::User),
    ("service-principal", PrincipalKind::ServicePrincipal),
    ("group", PrincipalKind::Group),
    ("workload", PrincipalKind::Workload),
    ("token", PrincipalKind::Token),
];
/// Roles that stand in a row; the rest are counted.
const GLANCE: usize = 3;

/// The filter as the address says it, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Text in a name.
    pub q: String,
    /// A word of [`KINDS`], or nothing.
    pub kind: String,
    /// From 1.
    pub page: u64,
}

impl Asked {
    fn fits(&self, principal: &Principal) -> bool {
        let q = self.q.to_ascii_lowercase();
        let has = |text: &str| text.to_ascii_lowercase().contains(&q);
        (has(principal.name.as_str()) || has(&principal.display))
            && KINDS.iter().all(|(word, kind)| *word != self.kind || *kind == principal.kind)
    }

    const fn any(&self) -> bool {
        !self.q.is_empty() || !self.kind.is_empty()
    }
}

/// The body of `/access`.
pub(crate) fn access(viewer: &Viewer, directory: &Directory, asked: &Asked, may_write: bool) -> Markup {
    let mut those: Vec<&Principal> = directory.principals().filter(|found| asked.fits(found)).collect();
    those.sort_by_key(|found| (found.id.is_well_known(), found.name.as_str().to_ascii_lowercase()));
    let total = those.len() as u64;
    let filter = [("q", asked.q.as_str()), ("kind", &asked.kind)];
    let listed = Listed { path: "/access", filter: &filter, sort: "", page: asked.page, total };
    let skipped = usize::try_from((asked.page - 1).saturating_mul(ROWS)).unwrap_or(usize::MAX);
    let shown: Vec<&Principal> =
        those.into_iter().skip(skipped).take(usize::try_from(ROWS).unwrap_or(usize::MAX)).collect();
    html! {
        div.title {
            h1 { "Access" }
            p.lead { "Who there is, how they prove it, and what they were given. " a href="/access/roles" { "What each role allows" } "." }
        }
        @if may_write { (forms::create(directory)) }
        (filter_form(asked))
        div.stack id="results" aria-live="polite" {
            p.quiet { (words::count(total, "principal")) @if asked.any() { " · " a href="/access" { "show all" } } }
            @if shown.is_empty() {
                section.card { div.empty { h2 { "Nobody matches" } p { "Nobody here fits this filter." } a.button href="/access" { "Show everybody" } } }
            } @else {
                section.card { (table(viewer, directory, &shown)) }
                (listed.pages())
            }
        }
    }
}

fn filter_form(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/access" role="search" aria-label="Filter principals" {
            label.wide { "Find" input type="search" name="q" value=(asked.q) placeholder="name" spellcheck="false" autocapitalize="none"; }
            label {
                "Kind"
                select name="kind" {
                    option value="" { "any" }
                    @for (word, kind) in KINDS { option value=(word) selected[asked.kind == word] { (kind.word()) } }
                }
            }
            button.unneeded type="submit" { "Show" }
        }
    }
}

fn table(viewer: &Viewer, directory: &Directory, those: &[&Principal]) -> Markup {
    html! {
        table.cards {
            caption.unseen { "Principals, their kind, roles and credentials" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Roles" } th scope="col" { "Ways in" } th scope="col" { "Since" } } }
            tbody { @for one in those { (row(viewer, directory, one)) } }
        }
    }
}

fn row(viewer: &Viewer, directory: &Directory, one: &Principal) -> Markup {
    html! {
        tr {
            th scope="row" {
                (place::principal(one))
                @if one.disabled { " " span.badge.is-deny { (badge::glyph("deny")) "disabled" } }
                @if !one.display.is_empty() { div.quiet.small { (one.display) } }
            }
            td data-label="Kind" { div { (place::kind(one.id, one.kind)) } }
            td data-label="Roles" { div { (glance(viewer, directory, one)) } }
            td data-label="Ways in" { div { (credentials::glance(viewer, one)) } }
            td.nowrap data-label="Since" { @if one.id.is_well_known() { span.quiet { "always" } } @else { (words::ago(one.created, viewer.now)) } }
        }
    }
}

/// Its own roles, and through how many groups there may be more.
fn glance(viewer: &Viewer, directory: &Directory, one: &Principal) -> Markup {
    let mut given: Vec<&Assignment> =
        directory.assignments().filter(|given| given.principal == one.id).collect();
    given.sort_by_key(|given| given.created);
    let groups = directory.groups_of(one.id).filter(|group| !group.id.is_well_known()).count() as u64;
    html! {
        ul.plain {
            @for given in given.iter().take(GLANCE) {
                li { b { (role_name(directory, given)) } " " span.quiet { (place::scope(&given.scope)) } @if given.expired(viewer.now) { " " span.tag { "ended" } } }
            }
            @if given.len() > GLANCE { li.quiet { "and " (given.len() - GLANCE) " more" } }
            @if let Some(map) = &one.scope_map { li { "scope map " b { (map) } } }
            @if groups > 0 { li.quiet { "in " (words::count(groups, "group")) } }
            @if one.kind == PrincipalKind::Group && !one.id.is_well_known() { li.quiet { (words::count(one.members.len() as u64, "member")) } }
        }
        @if given.is_empty() && groups == 0 && one.scope_map.is_none() { span.quiet { "none" } }
    }
}

/// The name of the role that was given.
pub(crate) fn role_name(directory: &Directory, given: &Assignment) -> String {
    directory.role(given.role).map_or_else(|| given.role.to_string(), |role| role.name.clone())
}
