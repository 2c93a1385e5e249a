//! Scopes, principals and roles as people say them.

use boltseal_identity::{Principal, PrincipalId, PrincipalKind, ScopePattern};
use maud::{Markup, html};

use super::link;

/// `everywhere`, `team/*` for repositories, otherwise the scope itself.
pub(crate) fn scope(scope: &ScopePattern) -> String {
    let text = scope.as_str();
    if text == "/" {
        return "everywhere".to_owned();
    }
    match text.strip_prefix("/registries/").and_then(|rest| rest.split_once("/repositories/")) {
        Some(("main", repository)) => repository.to_owned(),
        Some((registry, repository)) => format!("{repository} in {registry}"),
        None => text.to_owned(),
    }
}

/// The page of a principal. One that is called like another page of ours is found by its id.
pub(crate) fn address(principal: &Principal) -> String {
    let name = principal.name.as_str();
    if name == "roles" {
        format!("/access/{}", principal.id)
    } else {
        format!("/access/{}", link::encode(name))
    }
}

/// A principal by its name, which leads to its page.
pub(crate) fn principal(principal: &Principal) -> Markup {
    html! { a.name href=(address(principal)) { (principal.name) } }
}

/// The word for a kind; the groups and principals that are in every installation are built in.
pub(crate) fn kind(id: PrincipalId, kind: PrincipalKind) -> Markup {
    html! { (kind.word()) @if id.is_well_known() { " " span.tag { "built in" } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where() {
        for (text, words) in [
            ("/", "everywhere"),
            ("/registries/main", "/registries/main"),
            ("/registries/main/repositories/team/*", "team/*"),
            ("/registries/east/repositories/team/a", "team/a in east"),
            ("/vaults/prod", "/vaults/prod"),
        ] {
            assert_eq!(scope(&text.parse().unwrap()), words);
        }
    }
}
