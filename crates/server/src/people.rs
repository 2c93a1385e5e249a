//! Handlers of the pages about who may do what. Changes go through [`Access`](crate::Access), as everywhere.

mod changes;

use axum::{
    extract::{Path, State as From},
    response::Html,
};
use boltseal_audit::query::Filter;
use boltseal_identity::{Action, Caller, Directory, Principal, PrincipalId, Scope, Visible};
use boltseal_store::Facts;

pub(crate) use changes::{
    add, assign, delete, disable, members, new_secret, remove_secret, sign_out, unassign,
};

use crate::{
    State,
    asking::Asking,
    failure::Failure,
    foreign::named,
    pages::{
        access::{
            self,
            principal::{self, Reach},
            roles,
        },
        frame::{self, Part, Viewer},
    },
    recorder::Found,
};

/// Records of one principal on its page.
const RECENT: usize = 8;
/// Repositories that "what may they do" is asked about; more would make the page slow, and are counted by nobody.
const MAX_REPOSITORIES: u64 = 1000;
/// Repositories that are named.
const NAMED: usize = 6;
/// The registry of this installation.
const REGISTRY: &str = "main";

type Answer = Result<Html<String>, Failure>;

/// What is said in plain words about repositories, and about the rest.
const OF_REPOSITORIES: [(&str, Action); 3] = [
    ("Pull images", Action::ContentRead),
    ("Push images", Action::ContentWrite),
    ("Delete images", Action::ContentDelete),
];
const OF_THE_REST: [(&str, Action); 6] = [
    ("See images and findings", Action::ImageRead),
    ("Change policies", Action::PolicyWrite),
    ("Install feeds", Action::FeedWrite),
    ("Read the audit log", Action::AuditRead),
    ("Manage people", Action::PrincipalWrite),
    ("Give roles", Action::AssignmentWrite),
];

/// What the page of a principal has forms for.
const CHANGES: [Action; 4] =
    [Action::PrincipalWrite, Action::PrincipalDelete, Action::AssignmentWrite, Action::AssignmentDelete];

/// `/access`
pub(crate) async fn list(From(state): From<State>, viewer: Viewer, asking: Asking) -> Answer {
    let asked = access::Asked {
        q: asking.text("q").to_owned(),
        kind: asking.word("kind", [""].into_iter().chain(access::KINDS.map(|(word, _)| word))),
        page: asking.number("page", 1),
    };
    let directory = state.access.authority().directory();
    let body = access::access(&viewer, &directory, &asked, may(&state, &viewer, Action::PrincipalWrite));
    Ok(page(&viewer, "Access", &body))
}

/// `/access/{name}`
pub(crate) async fn one(From(state): From<State>, viewer: Viewer, Path(name): Path<String>) -> Answer {
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    let recent =
        if may(&state, &viewer, Action::AuditRead) { Some(recent(&state, one).await?) } else { None };
    let shown = principal::Shown {
        one,
        directory: &directory,
        effects: effects(&state, &directory, one.id).await?,
        recent,
        may: CHANGES.into_iter().filter(|action| may(&state, &viewer, *action)).collect(),
    };
    Ok(page(&viewer, one.name.as_str(), &principal::principal(&viewer, &shown)))
}

/// `/access/roles`
pub(crate) async fn all_roles(From(state): From<State>, viewer: Viewer, asking: Asking) -> Html<String> {
    let directory = state.access.authority().directory();
    page(&viewer, "Roles", &roles::roles(&directory, asking.text("role")))
}

/// Whether the viewer may, for what is shown. Whoever acts is asked again.
pub(crate) fn may(state: &State, viewer: &Viewer, action: Action) -> bool {
    let authority = state.access.authority();
    let may = |caller: &Caller| authority.decide(caller, action, &Scope::root(), viewer.now).is_granted();
    viewer.caller.as_ref().is_some_and(may)
}

/// A principal by name or id.
pub(crate) fn find<'a>(directory: &'a Directory, name: &str) -> Result<&'a Principal, Failure> {
    named(directory, name).ok_or_else(|| Failure::missing("principal", name))
}

async fn recent(state: &State, one: &Principal) -> Result<Vec<Found>, Failure> {
    let filter = Filter::parse([("who", one.name.as_str())]).unwrap_or_default();
    Ok(state.recorder.page(filter, None, RECENT).await?.found)
}

async fn effects(
    state: &State,
    directory: &Directory,
    id: PrincipalId,
) -> Result<Vec<(&'static str, Reach)>, Failure> {
    let now = (state.now)();
    let repositories = repositories(&state.facts).await?;
    let visible = |action| directory.visible(id, action, now);
    let enabled = directory.principal(id).is_some_and(|one| !one.disabled);
    let mut effects = Vec::new();
    for (what, action) in OF_REPOSITORIES {
        let reach = if enabled { reach(&visible(action), &repositories) } else { Reach::Nowhere };
        effects.push((what, reach));
    }
    for (what, action) in OF_THE_REST {
        let granted = directory.decide(id, action, &Scope::root(), now).is_granted();
        effects.push((what, if granted { Reach::Everywhere } else { Reach::Nowhere }));
    }
    Ok(effects)
}

async fn repositories(facts: &Facts) -> Result<Vec<(String, Scope)>, Failure> {
    let names = facts.repositories("", MAX_REPOSITORIES).await?;
    let scoped = |name: String| Scope::repository(REGISTRY, &name).ok().map(|scope| (name, scope));
    Ok(names.into_iter().filter_map(scoped).collect())
}

fn reach(visible: &Visible, repositories: &[(String, Scope)]) -> Reach {
    if Scope::registry(REGISTRY).is_ok_and(|registry| visible.is_all_of(&registry)) {
        return Reach::Everywhere;
    }
    let mut names: Vec<String> = repositories
        .iter()
        .filter(|(_, scope)| visible.contains(scope))
        .map(|(name, _)| name.clone())
        .collect();
    if names.is_empty() {
        // What may be pushed may not be there yet.
        return if visible.is_nothing() {
            Reach::Nowhere
        } else {
            Reach::Some { names, more: 0, of: repositories.len() }
        };
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    Reach::Some { names, more, of: repositories.len() }
}

fn page(viewer: &Viewer, title: &str, body: &maud::Markup) -> Html<String> {
    Html(frame::page(viewer, Part::Access, title, body).into_string())
}
