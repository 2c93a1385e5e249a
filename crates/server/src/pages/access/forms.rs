//! Forms that change who may do what. Without the right they are not shown; the server asks again all the same.

use boltseal_identity::{Directory, Principal, PrincipalKind};
use maud::{Markup, html};

use super::KINDS;
use crate::parts::place;

/// Somebody new.
pub(super) fn create(directory: &Directory) -> Markup {
    let maps = directory.scope_maps().next().is_some();
    html! {
        details.card.group {
            summary { "New principal" }
            form.body.lined.grid method="post" action="/access" {
                label.field {
                    "Kind"
                    select name="kind" { @for (word, kind) in KINDS.iter().filter(|(_, kind)| maps || *kind != PrincipalKind::Token) { option value=(word) { (kind.word()) } } }
                }
                label.field { "Name" input type="text" name="name" required maxlength="64" pattern="[A-Za-z0-9._@][A-Za-z0-9._@\\-]*" placeholder="ci, ada@example.com" autocapitalize="none" spellcheck="false" autocomplete="off"; }
                label.field { "What it is" input type="text" name="display" maxlength="256" placeholder="builds of the shop"; }
                @if maps {
                    label.field { "Scope map, for a token" select name="scope-map" { option value="" { "–" } @for map in directory.scope_maps() { option value=(map.name) { (map.name) } } } }
                }
                button.primary type="submit" { "Add" }
                p.quiet.small.whole { "A service principal gets a secret and a person a one-time link, each shown once. Nobody may do anything before a role is given." }
            }
        }
    }
}

/// A role for somebody.
pub(super) fn assign(directory: &Directory, one: &Principal) -> Markup {
    let mut roles: Vec<_> = directory.roles().collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    html! {
        form.body.lined.grid method="post" action={ (place::address(one)) "/assign" } {
            label.field { "Role" select name="role" { @for role in roles { option value=(role.name) selected[role.name == "AcrPull"] { (role.name) } } } }
            label.field.wide { "Where" input type="text" name="scope" required value="/registries/main/repositories/*" spellcheck="false" autocapitalize="none"; }
            label.field { "Ends" input type="date" name="ends"; }
            label.field.wide { "Only where" input type="text" name="condition" placeholder="repository like \"team/*\"" spellcheck="false" autocapitalize="none"; }
            label.field.wide { "Why" input type="text" name="reason" maxlength="256"; }
            button type="submit" { "Give the role" }
        }
    }
}

/// Who is in a group, and who comes in or goes.
pub(super) fn members(directory: &Directory, group: &Principal, may_write: bool) -> Markup {
    let mut those: Vec<&Principal> = group.members.iter().filter_map(|id| directory.principal(*id)).collect();
    those.sort_by(|a, b| a.name.cmp(&b.name));
    let action = format!("{}/members", place::address(group));
    html! {
        section.card aria-labelledby="members" {
            header { h2 id="members" { "Members" } span.quiet.small { (those.len()) } }
            @if those.is_empty() { p.none { "Nobody." } }
            ul.lines {
                @for member in &those {
                    li.row.spread {
                        span { (place::principal(member)) " " span.quiet.small { (member.kind.word()) } }
                        @if may_write { form method="post" action=(action) { input type="hidden" name="remove" value=(member.name); button.slight type="submit" { "Remove" } } }
                    }
                }
            }
            @if may_write {
                form.body.lined.inline method="post" action=(action) {
                    label.field { "Name" input type="text" name="add" required spellcheck="false" autocapitalize="none" autocomplete="off"; }
                    button type="submit" { "Add" }
                }
            }
        }
    }
}

/// Putting somebody aside, or away.
pub(super) fn state(one: &Principal, may_write: bool, may_delete: bool) -> Markup {
    let address = place::address(one);
    html! {
        @if (may_write || may_delete) && !one.id.is_well_known() {
            section.card aria-labelledby="state" {
                header { h2 id="state" { "Put aside" } }
                @if may_write {
                    form.body method="post" action={ (address) "/disable" } {
                        input type="hidden" name="disabled" value=(if one.disabled { "no" } else { "yes" });
                        button type="submit" { @if one.disabled { "Enable again" } @else { "Disable" } }
                        p.quiet.small { @if one.disabled { "What was given counts again." } @else { "Nothing may be done until it is enabled again; all sessions end." } }
                    }
                }
                @if may_delete {
                    form.body.lined method="post" action={ (address) "/delete" } {
                        label.check { input type="checkbox" name="sure" value="yes" required; "Delete " (one.name) " and everything given" }
                        button.danger type="submit" { "Delete" }
                    }
                }
            }
        }
    }
}
