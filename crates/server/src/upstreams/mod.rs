//! Other registries: caches of them (here), mirrors of them, imports from them. The registry does the work; here is
//! what it is told.

pub(crate) mod imports;
pub(crate) mod mirrors;

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::upstreams::{
    Asked, Kept, NewUpstream, Transfer, Upstream, UpstreamStatus, asked_name, context, kinds,
};
use boltseal_audit::record::Activity;
use boltseal_identity::seal::Purpose;
use boltseal_model::Reference;
use boltseal_store::Job;

use crate::{
    State,
    control::{By, created, done, read},
    failure::Failure,
    settings,
};

/// Where upstreams are, in records.
const PLACE: &str = "/registries/main/upstreams";
/// Rules and patterns of one setting. People write a handful.
const MAX_PATTERNS: usize = 50;
/// Characters of each, and of user names.
const MAX_TEXT: usize = 255;
/// Bytes of a password. Tokens of cloud registries have some thousand.
const MAX_PASSWORD: usize = 8 << 10;
/// Seconds that a tag may stay uncompared: a month.
const MAX_TTL: u64 = 31 * 24 * 60 * 60;

/// `GET /api/v1/upstreams`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<UpstreamStatus>>, Failure> {
    let kept: Vec<Kept<Upstream>> = settings::all(&state.facts, kinds::UPSTREAM).await?;
    let mut all = Vec::with_capacity(kept.len());
    for one in kept {
        all.push(status(&state, one.setting).await?);
    }
    Ok(Json(all))
}

/// With how it went when some server last asked it.
async fn status(state: &State, upstream: Upstream) -> Result<UpstreamStatus, Failure> {
    let checked = state.facts.upstream_check("", &asked_name(&upstream)).await?;
    let asked = checked.map(|checked| Asked { at: checked.at, trouble: checked.body });
    Ok(UpstreamStatus { upstream, asked })
}

/// `GET /api/v1/upstreams/{name}`
pub(crate) async fn one(
    From(state): From<State>,
    Path(name): Path<String>,
) -> Result<Json<UpstreamStatus>, Failure> {
    let kept: Vec<Kept<Upstream>> = settings::all(&state.facts, kinds::UPSTREAM).await?;
    let found = kept.into_iter().find(|kept| kept.setting.name == name);
    let found = found.ok_or_else(|| Failure::missing("upstream", &name))?;
    Ok(Json(status(&state, found.setting).await?))
}

/// `POST /api/v1/upstreams`: adds one, or changes the one with its name.
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let NewUpstream { upstream, password } = read(request).await?;
    check(&upstream)?;
    let kept: Vec<Kept<Upstream>> = settings::all(&state.facts, kinds::UPSTREAM).await?;
    let before = kept.iter().find(|kept| kept.setting.name == upstream.name);
    let same_place = |kept: &&Kept<Upstream>| kept.setting.prefix == upstream.prefix;
    if let Some(other) = kept.iter().find(same_place).filter(|other| other.setting.name != upstream.name) {
        let why = format!("{} is the prefix of upstream {}", upstream.prefix, other.setting.name);
        return Err(Failure::Conflict(why));
    }
    if before.is_none_or(|before| before.setting.prefix != upstream.prefix)
        && let Some(own) = state.facts.own_repository_below(&upstream.prefix).await?
    {
        let why = format!("{own} was pushed here and is no cache of {}: take another prefix", upstream.host);
        return Err(Failure::Conflict(why));
    }
    let sealed = sealed(&state, &upstream.host, upstream.username.as_deref(), password.as_ref())?;
    let sealed = sealed.or_else(|| {
        before
            .filter(|before| {
                (&before.setting.host, &before.setting.username) == (&upstream.host, &upstream.username)
            })?
            .sealed
            .clone()
    });
    let record = settings::changed(&state, &by, Activity::Update, PLACE, &upstream.name).await?;
    let record = record.detail("after", serde_json::to_value(&upstream).unwrap_or_default());
    let kept = Kept { setting: upstream, sealed };
    settings::put(&state.facts, kinds::UPSTREAM, &kept.setting.name, &kept, &record).await?;
    Ok(created(kept.setting))
}

/// `DELETE /api/v1/upstreams/{name}`: what came from it stays.
pub(crate) async fn remove(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = settings::changed(&state, &by, Activity::Delete, PLACE, &name).await?;
    settings::remove(&state.facts, kinds::UPSTREAM, "upstream", &name, &record).await?;
    Ok(done())
}

fn check(upstream: &Upstream) -> Result<(), Failure> {
    check_host(&upstream.host)?;
    if !Reference::is_repository(&upstream.prefix) {
        return asked(
            "`prefix` is the beginning of repository names, such as `hub`, without a slash at its end",
        );
    }
    if !upstream.path.is_empty() && !Reference::is_repository(&upstream.path) {
        return asked("`path` is the beginning of repository names there, such as `library`");
    }
    let texts = upstream.allow.iter().chain(&upstream.deny);
    let rules = upstream.rewrite.iter().flat_map(|rule| [&rule.from, &rule.to]);
    check_texts(texts.chain(rules).chain(&upstream.username))?;
    if upstream.ttl > MAX_TTL {
        return asked("`ttl` is at most a month");
    }
    check_authority(upstream.ca.as_deref())
}

/// Host, and port if any.
fn check_host(host: &str) -> Result<(), Failure> {
    let read = format!("{host}/x").parse::<Reference>();
    if read.is_ok_and(|reference| reference.registry() == host) {
        return Ok(());
    }
    asked("`host` is a host, and a port if any, such as docker.io or registry.example.com:5000")
}

fn check_texts<'t>(texts: impl Iterator<Item = &'t String>) -> Result<(), Failure> {
    let mut count = 0;
    for text in texts {
        count += 1;
        if count > MAX_PATTERNS || text.len() > MAX_TEXT {
            return asked("at most fifty patterns and rules, each of at most 255 characters");
        }
    }
    Ok(())
}

fn check_authority(ca: Option<&str>) -> Result<(), Failure> {
    match ca {
        Some(pem) if !pem.contains("-----BEGIN CERTIFICATE-----") => {
            asked("`ca` is a certificate authority as PEM")
        }
        _ => Ok(()),
    }
}

/// A password, sealed for one user of one registry.
fn sealed(
    state: &State,
    host: &str,
    username: Option<&str>,
    password: Option<&zeroize::Zeroizing<String>>,
) -> Result<Option<String>, Failure> {
    let Some(password) = password else { return Ok(None) };
    let Some(username) = username else { return asked("a password needs a `username`").map(|()| None) };
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return asked("a password has 1 to 8192 bytes").map(|()| None);
    }
    let keys = state.access.authority().keys();
    let sealed = keys.seal(Purpose::Setting, password.as_bytes(), &context(host, username));
    let sealed = sealed.map_err(|wrong| Failure::Format(std::io::Error::other(wrong)))?;
    Ok(Some(STANDARD.encode(sealed)))
}

fn asked(why: &str) -> Result<(), Failure> {
    Err(Failure::Asked(why.to_owned()))
}

/// A job as people see it.
fn transfer(job: Job, source: String, destination: String) -> Transfer {
    Transfer {
        id: job.id,
        source,
        destination,
        state: job.state.word().to_owned(),
        by: job.by,
        requested: job.requested,
        started: job.started,
        ended: job.ended,
        done: job.done,
        total: job.total,
        message: job.message,
    }
}
