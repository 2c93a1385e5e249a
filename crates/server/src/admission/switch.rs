//! That a cluster was made to ask this server, or no longer to: `POST /api/v1/clusters/{name}/webhook`.

use axum::{
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::admission::{Switch, Switched};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Severity, Subject},
};
use boltseal_flow::access;
use boltseal_identity::{Action, Scope};

use crate::{
    State,
    control::{By, done, read},
    failure::Failure,
    guard,
};

/// Characters of a reason, and of a name.
const MAX_TEXT: usize = 500;

/// Writes it down; an alert where a cluster is not guarded any more.
pub(crate) async fn switched(
    From(state): From<State>,
    by: By,
    Path(cluster): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let Switched { state: switch, at, user, reason } = read(request).await?;
    let scope = Scope::root()
        .below(&["clusters", &cluster])
        .map_err(|wrong| Failure::Asked(format!("`{cluster}` cannot be the name of a cluster: {wrong}")))?;
    let is_line = |text: &str| {
        !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
    };
    if !user.is_empty() && !is_line(&user) {
        return Err(Failure::Asked(format!("`user` is one line of at most {MAX_TEXT} characters")));
    }
    if !reason.as_deref().map_or(switch == Switch::On, is_line) {
        return Err(Failure::Asked(format!(
            "say why, in one line of at most {MAX_TEXT} characters: `reason`"
        )));
    }
    let why = guard::may(&state, &by.caller, &by.source, Action::SettingWrite, &Scope::root()).await?.why;
    let (words, severity) = match switch {
        Switch::On => ("asks this server before anything runs", Severity::Medium),
        Switch::Off => ("asks nobody any more", Severity::High),
        Switch::Removed => ("asks nobody any more, and its configurations are gone", Severity::High),
    };
    let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut record = Record::new((state.now)(), Activity::Update, Action::SettingWrite.name())
        .actor(access::actor(&by.caller))
        .source(by.source.clone())
        .subject(Subject::new(format!("{}/webhook", scope.as_str())))
        .outcome(Outcome::Success)
        .status(format!("the cluster {cluster} {words}{because}"))
        .severity(severity)
        .why(why)
        .detail("switched", at.to_string())
        .detail("cluster_user", user);
    if switch != Switch::On {
        record = record.alert();
    }
    state.recorder.note(&record).await?;
    Ok(done())
}
