//! What runs on nodes, and who of it has something.
//!
//! Agents say every minute, and when it changes, what runs; the images are those that are stored and judged here. So one
//! question to the server answers for all nodes: `boltseal where CVE-2024-3094 --server`.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::running as api;
use boltseal_identity::{Action, Scope};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{MAX_RUNNING, Run, RunAt, RunWith, Used, UsedPackage};
use jiff::SignedDuration;

use crate::{
    State,
    asking::Asking,
    control::{By, bytes, done},
    failure::Failure,
    guard,
};

/// Bytes of a report: some 300 for each container, and 100 for each package that it uses.
const MAX_REPORT: usize = 16 << 20;
/// Packages of one container in it.
const MAX_USED: usize = 1_000;
/// Characters of a name in it.
const MAX_NAME: usize = 512;
/// After this long, a node is silent: three reports are missing.
const SILENT: SignedDuration = SignedDuration::from_mins(3);
/// Containers of one answer.
const SHOWN: u64 = 10_000;

/// `PUT /api/v1/hosts/{host}/running`: all that runs on a node, in place of what it said before.
pub(crate) async fn report(
    From(state): From<State>,
    by: By,
    Path(host): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let scope = Scope::root().below(&["hosts", &host]).map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    guard::may(&state, &by.caller, &by.source, Action::AuditIngest, &scope).await?;
    let body = bytes(request, MAX_REPORT).await?;
    let reported: api::Reported = serde_json::from_slice(&body)
        .map_err(|wrong| Failure::Asked(format!("the body is not what is wanted: {wrong}")))?;
    if reported.containers.len() > MAX_RUNNING {
        return Err(Failure::Asked(format!("a node has at most {MAX_RUNNING} containers")));
    }
    let mut names = BTreeSet::new();
    let mut runs = Vec::with_capacity(reported.containers.len());
    for one in reported.containers {
        let digest =
            one.digest.parse().map_err(|_| Failure::Asked(format!("`{}` is no digest", one.digest)))?;
        let fits = |text: &str| !text.is_empty() && text.len() <= MAX_NAME && !text.contains('\0');
        if !fits(&one.name) || !fits(&one.image) || !names.insert(one.name.clone()) {
            return Err(Failure::Asked("a container has a name of its own, and an image".to_owned()));
        }
        let uses = one.uses.map(used).transpose()?;
        runs.push(Run { container: one.name, digest, image: one.image, since: one.since, uses });
    }
    state.facts.report_running(&host, runs, (state.now)()).await?;
    Ok(done())
}

/// The packages that a container uses.
fn used(told: Vec<api::UsedPackage>) -> Result<Vec<UsedPackage>, Failure> {
    if told.len() > MAX_USED {
        return Err(Failure::Asked(format!("of a container, at most {MAX_USED} packages are told")));
    }
    let fits = |text: &str| text.len() <= MAX_NAME && !text.contains('\0');
    told.into_iter()
        .map(|one| match one.how {
            how @ (api::Used::Loaded | api::Used::Executed) if fits(&one.package) && fits(&one.version) => {
                let executed = how == api::Used::Executed;
                Ok(UsedPackage { package: one.package, version: one.version, executed })
            }
            _ => {
                Err(Failure::Asked("a package that is used is loaded or executed, and has a name".to_owned()))
            }
        })
        .collect()
}

/// `GET /api/v1/running?what=CVE|PACKAGE|PACKAGE@VERSION|DIGEST`, `?container=GROUP/CONTAINER|GROUP`; without either, all that runs.
pub(crate) async fn locate(From(state): From<State>, asking: Asking) -> Result<Json<api::Places>, Failure> {
    let (what, name) = (asking.text("what"), asking.text("container"));
    if name.len() > MAX_NAME || what.len() > MAX_NAME || what.starts_with("pkg:") {
        let words = "`what` is a vulnerability, a package (NAME or NAME@VERSION) or the digest of an image; `container` is the name of \
                     one, or of a group";
        return Err(Failure::Asked(words.to_owned()));
    }
    match (what, name) {
        ("", "") => plainly(&state, "", RunWith::Anything).await,
        ("", name) => plainly(&state, name, RunWith::Name(name)).await,
        (what, "") => having(&state, what).await,
        _ => Err(Failure::Asked("one of `what` and `container` can be asked for".to_owned())),
    }
}

/// Containers that are called so: whether they are meant is known of all of them.
async fn plainly(state: &State, asked: &str, with: RunWith<'_>) -> Result<Json<api::Places>, Failure> {
    let found = state.facts.running(with, SHOWN).await?;
    Ok(Json(api::Places {
        asked: asked.to_owned(),
        nodes: nodes(state, (state.now)()).await?,
        more: found.len() as u64 >= SHOWN,
        containers: found.into_iter().map(place).collect(),
        unknown: Vec::new(),
    }))
}

/// Containers that have it.
async fn having(state: &State, what: &str) -> Result<Json<api::Places>, Failure> {
    let mut found = Vec::new();
    for with in looks(what).iter().map(Look::with) {
        found.extend(state.facts.running(with, SHOWN).await?);
    }
    let more = found.len() as u64 >= SHOWN;
    let now = (state.now)();
    let is_digest = what.parse::<Digest>().is_ok();
    let unknown = if is_digest { Vec::new() } else { state.facts.running_unlooked(SHOWN).await? };
    Ok(Json(api::Places {
        asked: what.to_owned(),
        nodes: nodes(state, now).await?,
        containers: found.into_iter().map(place).collect(),
        more,
        unknown: unknown.into_iter().map(place).collect(),
    }))
}

/// Every node, and whether what it said is old.
async fn nodes(state: &State, now: Timestamp) -> Result<Vec<api::Node>, Failure> {
    let nodes = state.facts.nodes().await?.into_iter();
    let node = |(host, reported)| {
        let silent = is_silent(reported, now);
        api::Node { host, reported, silent }
    };
    Ok(nodes.map(node).collect())
}

/// Whether what a node said is old.
pub(crate) fn is_silent(reported: Timestamp, now: Timestamp) -> bool {
    now.duration_since(reported) > SILENT
}

/// What a text may mean.
enum Look {
    Image([Digest; 1]),
    Vulnerability(String),
    Package(String, Option<String>),
}

impl Look {
    fn with(&self) -> RunWith<'_> {
        match self {
            Self::Image(digest) => RunWith::Images(digest),
            Self::Vulnerability(id) => RunWith::Vulnerability(id),
            Self::Package(name, version) => RunWith::Package(name, version.as_deref()),
        }
    }
}

/// A digest, else a vulnerability or a package: nothing is called like both.
fn looks(what: &str) -> Vec<Look> {
    if let Ok(digest) = what.parse() {
        return vec![Look::Image([digest])];
    }
    let (name, version) = match what.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (what, None),
    };
    let mut looks = vec![Look::Package(name.to_owned(), version)];
    // Ids of advisories are written in either case: `CVE-2024-3094`, `GHSA-jfh8-c2jp-5v3q`.
    looks.push(Look::Vulnerability(what.to_owned()));
    if what.to_ascii_uppercase() != what {
        looks.push(Look::Vulnerability(what.to_ascii_uppercase()));
    }
    looks
}

fn place(found: RunAt) -> api::Place {
    let Run { container, digest, image, since, .. } = found.run;
    api::Place {
        host: found.host,
        container: api::Container { name: container, digest: digest.to_string(), image, since, uses: None },
        with: found.with,
        used: found.used.map(|used| match used {
            Used::Present => api::Used::Present,
            Used::Loaded => api::Used::Loaded,
            Used::Executed => api::Used::Executed,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_may_mean() {
        let digest = Digest::of(b"x").to_string();
        for (what, wanted) in [
            (digest.as_str(), "image"),
            ("CVE-2024-3094", "package CVE-2024-3094, vulnerability CVE-2024-3094"),
            (
                "cve-2024-3094",
                "package cve-2024-3094, vulnerability cve-2024-3094, vulnerability CVE-2024-3094",
            ),
            ("curl@8.1", "package curl = 8.1, vulnerability curl@8.1, vulnerability CURL@8.1"),
            ("@a/b", "package @a/b, vulnerability @a/b, vulnerability @A/B"),
        ] {
            let found: Vec<String> = looks(what)
                .iter()
                .map(|look| match look {
                    Look::Image(_) => "image".to_owned(),
                    Look::Vulnerability(id) => format!("vulnerability {id}"),
                    Look::Package(name, None) => format!("package {name}"),
                    Look::Package(name, Some(version)) => format!("package {name} = {version}"),
                })
                .collect();
            assert_eq!(found.join(", "), wanted, "{what}");
        }
    }
}
