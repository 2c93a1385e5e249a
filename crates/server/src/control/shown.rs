//! What the directory knows, in the words of the API.

use boltseal_api::access as api;
use boltseal_identity::{
    Assignment, Credentials, Directory, Principal, PrincipalId, PrincipalKind, Role, ScopeMap,
    federation::{Condition, Federation, Wanted},
};

/// The kind, for programs.
pub(super) const fn kind(kind: PrincipalKind) -> api::Kind {
    match kind {
        PrincipalKind::User => api::Kind::User,
        PrincipalKind::ServicePrincipal => api::Kind::ServicePrincipal,
        PrincipalKind::Group => api::Kind::Group,
        PrincipalKind::Workload => api::Kind::Workload,
        PrincipalKind::Token => api::Kind::Token,
    }
}

/// The kind that the API names.
pub(super) const fn kind_of(kind: api::Kind) -> PrincipalKind {
    match kind {
        api::Kind::User => PrincipalKind::User,
        api::Kind::ServicePrincipal => PrincipalKind::ServicePrincipal,
        api::Kind::Group => PrincipalKind::Group,
        api::Kind::Workload => PrincipalKind::Workload,
        api::Kind::Token => PrincipalKind::Token,
    }
}

/// A principal without anything secret.
pub(super) fn principal(directory: &Directory, principal: &Principal) -> api::Principal {
    api::Principal {
        id: principal.id.0,
        kind: kind(principal.kind),
        name: principal.name.to_string(),
        display: principal.display.clone(),
        disabled: principal.disabled,
        created: principal.created,
        members: principal.members.iter().map(|member| name(directory, *member)).collect(),
        credentials: credentials(&principal.credentials),
        scope_map: principal.scope_map.clone(),
    }
}

fn credentials(known: &Credentials) -> Vec<api::Credential> {
    let plain =
        |kind: &str| api::Credential { kind: kind.to_owned(), id: None, created: None, expires: None };
    let mut shown = Vec::new();
    if known.password.is_some() {
        shown.push(plain("password"));
    }
    if known.totp.is_some() {
        shown.push(plain("totp"));
    }
    shown.extend(known.secrets.iter().map(|secret| api::Credential {
        id: Some(secret.id().to_string()),
        created: Some(secret.created()),
        expires: secret.expires(),
        ..plain("secret")
    }));
    shown.extend(known.certificates.iter().map(|certificate| api::Credential {
        id: Some(hex::encode(certificate.thumbprint())),
        expires: Some(certificate.expires()),
        ..plain("certificate")
    }));
    shown
}

/// What somebody is called; the id of who is gone.
pub(super) fn name(directory: &Directory, id: PrincipalId) -> String {
    directory.principal(id).map_or_else(|| id.to_string(), |found| found.name.to_string())
}

/// A role.
pub(super) fn role(role: &Role) -> api::Role {
    api::Role {
        id: role.id.0,
        name: role.name.clone(),
        description: role.description.clone(),
        built_in: role.built_in,
        actions: role.actions.clone(),
        not_actions: role.not_actions.clone(),
        data_actions: role.data_actions.clone(),
        not_data_actions: role.not_data_actions.clone(),
    }
}

/// An assignment, by names.
pub(super) fn assignment(directory: &Directory, given: &Assignment) -> api::Assignment {
    let role = directory.role(given.role).map_or_else(|| given.role.to_string(), |role| role.name.clone());
    api::Assignment {
        id: given.id.0,
        principal: name(directory, given.principal),
        role,
        scope: given.scope.as_str().to_owned(),
        condition: given.condition.as_ref().map(ToString::to_string),
        created: given.created,
        expires: given.expires,
    }
}

/// A scope map.
pub(super) fn scope_map(map: &ScopeMap) -> api::ScopeMap {
    api::ScopeMap { name: map.name.clone(), actions: map.actions.clone() }
}

/// A federation. Keys that came with it are public, and are not shown again.
pub(super) fn federation(directory: &Directory, known: &Federation) -> api::Federation {
    api::Federation {
        id: known.id,
        issuer: known.issuer.clone(),
        audience: known.audience.clone(),
        subject: known.subject.as_str().to_owned(),
        claims: known.claims.iter().map(condition).collect(),
        principal: name(directory, PrincipalId(known.principal)),
        jwks: None,
    }
}

fn condition(condition: &Condition) -> String {
    let wanted = match &condition.wanted {
        Wanted::Equals(text) => text,
        Wanted::Pattern(pattern) => pattern.as_str(),
    };
    format!("{}={wanted}", condition.name)
}

/// A condition as [`condition`] writes it: with a star in it, it is a pattern.
pub(super) fn condition_of(text: &str) -> Result<Condition, String> {
    let (name, wanted) =
        text.split_once('=').ok_or_else(|| format!("`{}` is not of the form NAME=VALUE", cut(text)))?;
    let wanted = if wanted.contains('*') {
        Wanted::Pattern(wanted.parse().map_err(|wrong| format!("claim `{}`: {wrong}", cut(name)))?)
    } else {
        Wanted::Equals(wanted.to_owned())
    };
    Ok(Condition { name: name.to_owned(), wanted })
}

/// Messages stay short whatever was sent.
pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_go_there_and_back() {
        for (text, good) in [
            ("repository=octo/*", true),
            ("ref=refs/heads/main", true),
            ("kubernetes.io.namespace=prod=blue", true),
            ("repository", false),
            ("a=*********", false),
        ] {
            let found = condition_of(text);
            assert_eq!(found.is_ok(), good, "{text}");
            if let Ok(found) = found {
                assert_eq!(condition(&found), text);
            }
        }
    }
}
