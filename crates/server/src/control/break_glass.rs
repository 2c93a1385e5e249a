//! Break-glass: a quorum of shares opens an hour in which everything may be done, in sight of everybody.

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use boltseal_api::access::{BreakGlass, NewShares, Session, Shares};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Severity, Subject, Why},
};
use boltseal_flow::access;
use boltseal_identity::{
    Action, Caller, PrincipalId, Scope,
    registry_scope::RegistryScopes,
    share::{self, Combined, SHARES, Share, ShareSet},
    token::{Kind, Method},
};
use zeroize::Zeroizing;

use super::{By, created, login, read};
use crate::{State, failure::Failure, foreign::address, guard};

/// Where the public half of the shares is kept.
const SETTING: &str = "break-glass.shares";
/// What attempts are counted under, and what stands in the log.
const NAME: &str = "break-glass";
/// Seconds that it stays open.
const LIFE: i64 = 3600;
/// Characters of a reason: enough to say something, and not enough to fill the log with.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// `POST /api/v1/break-glass/shares`: what was dealt before is of no use from now on.
pub(crate) async fn deal(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let NewShares { shares, threshold } = read(request).await?;
    let (set, dealt) = share::split(threshold, shares).map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let why = guard::may(&state, &by.caller, &by.source, Action::BreakGlassOpen, &Scope::root()).await?.why;
    let kept = serde_json::to_string(&set).map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
    let record = Record::new((state.now)(), Activity::Create, Action::BreakGlassOpen.name())
        .actor(access::actor(&by.caller))
        .source(by.source)
        .subject(Subject::new("/").name(NAME))
        .outcome(Outcome::Success)
        .severity(Severity::High)
        .alert()
        .why(why)
        .detail("set", set.id.to_string())
        .detail("shares", shares)
        .detail("threshold", threshold);
    state.facts.recording(vec![record.entry()]).set(SETTING, &kept).await?;
    let shares = dealt.iter().map(|share| share.text().expose().to_owned()).collect();
    Ok(created(Shares { shares, threshold }))
}

/// `POST /api/v1/break-glass/open`: the shares are the proof.
pub(crate) async fn open(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<Session>, Failure> {
    let BreakGlass { shares, reason } = read(request).await?;
    let shares: Vec<Zeroizing<String>> = shares.into_iter().map(Zeroizing::new).collect();
    let reason = reason.trim().to_owned();
    if !REASON.contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        let (least, most) = (REASON.start(), REASON.end());
        return Err(Failure::Asked(format!("say why, in one line of {least} to {most} characters")));
    }
    let (authority, now, from) = (state.access.authority(), (state.now)(), address(&by.source));
    let seconds = authority.wait(NAME, from, now);
    if seconds > 0 {
        return Err(Failure::Wait(seconds));
    }
    let combined = match combine(&state, &shares).await {
        Ok(combined) => combined,
        Err(Failure::Asked(why)) => {
            authority.failed(NAME, from, now);
            wrong(&state, by, &reason, &why).await;
            return Err(Failure::Asked(why));
        }
        Err(other) => return Err(other),
    };
    let id = PrincipalId::BREAK_GLASS;
    let caller = authority.caller(id, Method::Shares).ok_or_else(|| Failure::missing("principal", NAME))?;
    let issued = authority
        .issue(&caller, Kind::Access, RegistryScopes::All, LIFE, now)
        .map_err(|error| Failure::Refused(error.into()))?;
    let record = login::signed_in(&state, &caller, by.source)
        .why(Why::rule(format!("a quorum of shares; reason: {reason}")))
        .severity(Severity::Critical)
        .alert()
        .status("the glass was broken: for an hour everything may be done")
        .detail("reason", reason.clone())
        .detail("shares", combined.indexes)
        .detail("token", issued.claims.id.to_string());
    state.recorder.note(&record).await?;
    tracing::error!(reason, "the glass was broken: for an hour everything may be done");
    Ok(Json(Session {
        access_token: issued.token.expose().to_owned(),
        expires_in: LIFE.unsigned_abs(),
        principal: caller.name.to_string(),
        registry: Some(state.site.registry.clone()),
    }))
}

/// Puts the key together, if the shares are a quorum of the newest set.
async fn combine(state: &State, typed: &[Zeroizing<String>]) -> Result<Combined, Failure> {
    let asked = |why: String| Failure::Asked(why);
    if typed.len() > usize::from(*SHARES.end()) {
        return Err(asked(format!("{} shares are more than there can be", typed.len())));
    }
    let kept = state.facts.setting(SETTING).await?;
    let set: Option<ShareSet> = kept.and_then(|kept| serde_json::from_str(&kept).ok());
    let set = set.ok_or_else(|| asked("no shares were dealt: there is no glass to break".to_owned()))?;
    let shares: Result<Vec<Share>, _> = typed.iter().map(|text| Share::parse(text)).collect();
    let shares = shares.map_err(|wrong| asked(wrong.to_string()))?;
    set.combine(&shares).map_err(|wrong| asked(wrong.to_string()))
}

/// Somebody tried and could not.
async fn wrong(state: &State, by: By, reason: &str, why: &str) {
    let record = Record::new((state.now)(), Activity::SignIn, login::SIGN_IN)
        .actor(access::actor(&Caller::anonymous()))
        .source(by.source)
        .subject(Subject::new("/").name(NAME))
        .outcome(Outcome::Failure)
        .severity(Severity::High)
        .alert()
        .status(why.to_owned())
        .detail("reason", reason.to_owned());
    if let Err(error) = state.recorder.note(&record).await {
        tracing::error!(%error, "a failed attempt to break the glass could not be recorded");
    }
    tracing::warn!(why, "somebody tried to break the glass");
}
