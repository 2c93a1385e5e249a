//! Principals, roles and what they may do, for people.

use std::fmt::Write as _;

use boltseal_api::access::{
    Assignment, CanI, Credential, Federation, Kind, Made, Principal, Role, ScopeMap, WhoAmI,
};
use boltseal_identity::Action;
use boltseal_model::Timestamp;

use super::{
    feeds::age,
    packages::{grid, grid_without_gaps},
    paint::{Paint, clean, wrap},
};

/// Where a column begins that stands behind a word.
const INDENT: usize = 14;

/// What a kind of principal is called.
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::ServicePrincipal => "service principal",
        Kind::Group => "group",
        Kind::Workload => "workload",
        Kind::Token => "token",
    }
}

/// Users, service principals or tokens, one a line.
pub fn principals(all: &[Principal], now: Timestamp, paint: Paint) -> String {
    let rows = all.iter().map(|principal| {
        [
            principal.name.clone(),
            principal.display.clone(),
            if principal.disabled { "disabled" } else { "" }.to_owned(),
            credentials(&principal.credentials, now),
            principal.scope_map.clone().unwrap_or_default(),
            made_ago(principal, now),
        ]
    });
    grid_without_gaps(&["name", "for people", "state", "proves itself by", "scope map", "made"], rows, paint)
}

/// Groups, one a line.
pub fn groups(all: &[Principal], now: Timestamp, paint: Paint) -> String {
    let rows = all.iter().map(|group| {
        [group.name.clone(), group.display.clone(), group.members.join(", "), made_ago(group, now)]
    });
    grid_without_gaps(&["name", "for people", "members", "made"], rows, paint)
}

/// What comes with Boltseal was made when time began.
fn made_ago(principal: &Principal, now: Timestamp) -> String {
    match principal.created.as_second() {
        0 => "built in".to_owned(),
        _ => format!("{} ago", age(principal.created, now)),
    }
}

/// `password, totp, secret`.
fn credentials(all: &[Credential], now: Timestamp) -> String {
    let mut words: Vec<String> = Vec::new();
    for one in all {
        let over = one.expires.is_some_and(|expires| expires <= now);
        words.push(format!("{}{}", one.kind, if over { " (over)" } else { "" }));
    }
    words.join(", ")
}

/// One principal, with what it was given.
pub fn principal(principal: &Principal, held: &[Assignment], now: Timestamp, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "name", &principal.name);
    line(&mut out, "id", &principal.id.to_string());
    line(&mut out, "kind", kind(principal.kind));
    line(&mut out, "for people", &principal.display);
    line(&mut out, "state", if principal.disabled { "disabled: nothing is granted" } else { "" });
    line(&mut out, "scope map", principal.scope_map.as_deref().unwrap_or_default());
    line(&mut out, "members", &principal.members.join(", "));
    line(&mut out, "made", &moment(principal.created));
    if !principal.credentials.is_empty() {
        let rows = principal.credentials.iter().map(|one| {
            let ends = |expires: Timestamp| {
                let over = if expires <= now { " (over)" } else { "" };
                format!("{}{over}", moment(expires))
            };
            [
                one.kind.clone(),
                one.id.clone().unwrap_or_default(),
                one.created.map(moment).unwrap_or_default(),
                one.expires.map(ends).unwrap_or_default(),
            ]
        });
        out.push('\n');
        out.push_str(&grid(&["credential", "id", "made", "ends"], rows, paint));
    }
    if !held.is_empty() {
        out.push('\n');
        out.push_str(&assignments(held, paint));
    }
    out
}

/// Something new and its secret, which is shown only here.
pub fn made(made: &Made, address: &str) -> String {
    let mut out = String::new();
    line(&mut out, "name", &made.principal.name);
    line(&mut out, "id", &made.principal.id.to_string());
    line(&mut out, "secret", made.secret.as_deref().unwrap_or_default());
    line(&mut out, "secret id", made.secret_id.as_deref().unwrap_or_default());
    if let Some(link) = &made.link {
        line(&mut out, "link", &format!("{address}{link}"));
    }
    out
}

/// Assignments, one a line.
pub fn assignments(all: &[Assignment], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        [
            one.principal.clone(),
            one.role.clone(),
            one.scope.clone(),
            one.condition.clone().unwrap_or_default(),
            one.expires.map(moment).unwrap_or_default(),
            one.id.to_string(),
        ]
    });
    grid_without_gaps(&["principal", "role", "scope", "condition", "ends", "assignment"], rows, paint)
}

/// Roles, one a line.
pub fn roles(all: &[Role], paint: Paint) -> String {
    let rows = all.iter().map(|role| {
        let whose = if role.built_in { "built in" } else { "own" };
        [role.name.clone(), whose.to_owned(), role.description.clone()]
    });
    grid(&["role", "whose", "what for"], rows, paint)
}

/// One role, with all it allows.
pub fn role(role: &Role, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "name", &role.name);
    line(&mut out, "id", &role.id.to_string());
    line(&mut out, "what for", &wrap(&role.description, paint.width, INDENT));
    for (title, actions) in [
        ("control plane", &role.actions),
        ("but not", &role.not_actions),
        ("data plane", &role.data_actions),
        ("but not", &role.not_data_actions),
    ] {
        if !actions.is_empty() {
            let _ = writeln!(out, "{}", paint.bold(title));
        }
        for action in actions {
            let _ = writeln!(out, "  {}", clean(action));
        }
    }
    out
}

/// Scope maps, one a line.
pub fn scope_maps(all: &[ScopeMap], paint: Paint) -> String {
    let rows = all.iter().map(|map| [map.name.clone(), map.actions.join(" ")]);
    grid(&["name", "allows"], rows, paint)
}

/// Federations: each has long texts, so they stand one below the other.
pub fn federations(all: &[Federation], paint: Paint) -> String {
    let mut out = String::new();
    for one in all {
        let _ = writeln!(out, "{}", paint.bold(&clean(&one.principal)));
        line(&mut out, "id", &one.id.to_string());
        line(&mut out, "issuer", &one.issuer);
        line(&mut out, "audience", &one.audience);
        line(&mut out, "subject", &one.subject);
        line(&mut out, "claims", &one.claims.join(" "));
        line(&mut out, "keys", if one.jwks.is_some() { "given" } else { "fetched from the issuer" });
        out.push('\n');
    }
    out
}

/// All that can be done.
pub fn actions(paint: Paint) -> String {
    // One a line however wide that is, to search in and to copy from.
    let width = Action::ALL.iter().map(|action| action.name().len()).max().unwrap_or_default();
    let mut out = String::new();
    for action in Action::ALL {
        let _ = writeln!(out, "{:width$}  {}", action.name(), paint.dim(action.about()));
    }
    out
}

/// Who is logged in.
pub fn whoami(me: &WhoAmI, address: &str, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "name", &me.name);
    line(&mut out, "id", &me.id.to_string());
    line(&mut out, "kind", &me.kind);
    line(&mut out, "server", address);
    line(&mut out, "proven by", &me.via);
    line(&mut out, "until", &me.expires.map(moment).unwrap_or_default());
    line(&mut out, "groups", &me.groups.join(", "));
    if me.assignments.is_empty() {
        out.push_str("no roles: nothing is allowed\n");
    } else {
        out.push('\n');
        out.push_str(&assignments(&me.assignments, paint));
    }
    out
}

/// Whether something may be done, and why.
pub fn can_i(answer: &CanI, paint: Paint) -> String {
    let mut out = String::new();
    let (who, action, scope) = (clean(&answer.principal), clean(&answer.action), clean(&answer.scope));
    if answer.allowed {
        let _ = writeln!(out, "{}: {who} may do {action} at {scope}", paint.bold("yes"));
    } else {
        let _ = writeln!(out, "{}: {who} may not do {action} at {scope}", paint.alarm("no"));
    }
    if let Some(granted) = &answer.granted_by {
        let _ = write!(out, "granted by {}", clean(&held(granted)));
        if let Some(group) = &answer.through {
            let _ = write!(out, ", through the group {}", clean(group));
        }
        let _ = writeln!(out, " (assignment {})", granted.id);
    }
    if !answer.considered.is_empty() {
        let _ = writeln!(out, "does not help:");
    }
    for one in &answer.considered {
        let text = format!("{}: {}", held(&one.assignment), one.why_not);
        let _ = writeln!(out, "  {}", wrap(&text, paint.width, 4));
    }
    if !answer.allowed && !answer.roles_that_would.is_empty() {
        let _ =
            writeln!(out, "would help: {}", wrap(&answer.roles_that_would.join(", "), paint.width, INDENT));
    }
    out
}

fn held(one: &Assignment) -> String {
    let condition = one.condition.as_ref().map(|condition| format!(" where {condition}")).unwrap_or_default();
    format!("{} at {}{condition}", one.role, one.scope)
}

/// `name:  value`, where there is a value.
pub fn line(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(out, "{:INDENT$}{}", format!("{name}:"), clean(value));
    }
}

/// To the minute.
pub fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
