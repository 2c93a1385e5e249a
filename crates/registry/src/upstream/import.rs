//! Imports: an image of another registry, copied here once, as a job.

use std::sync::Arc;

use boltseal_api::upstreams::{ImportJob, NewImport, kinds};
use boltseal_model::{Platform, Reference as Written};
use boltseal_store::{Document, Job};
use tokio::task::spawn_blocking;

use super::{Bring, Door, Trouble, fetch::Reference, job::Course, record, walk::Parts};
use crate::{
    Registry,
    work::{Ended, Reporter, Running},
};

/// Does one.
pub(crate) fn run(registry: Registry, job: Job, reporter: Arc<Reporter>) -> Running {
    Box::pin(async move {
        let spec: ImportJob = match serde_json::from_str(&job.spec) {
            Ok(spec) => spec,
            Err(error) => return Ended::Failed(format!("the job cannot be read: {error}")),
        };
        let course = Course::new(reporter);
        let done = course.run(Box::pin(import(&registry, &course, &spec, &job.by))).await;
        if let Some(secret) = spec.secret {
            forget(&registry, secret).await;
        }
        match done {
            None => Ended::Stopped("stopped; what is here stays".to_owned()),
            Some(Ok(sentence)) => Ended::Done(sentence),
            Some(Err(trouble)) => Ended::Failed(trouble.sentence().to_owned()),
        }
    })
}

async fn import(registry: &Registry, course: &Course, spec: &ImportJob, by: &str) -> Result<String, Trouble> {
    let (wanted, inner) = (&spec.import, &registry.0);
    let source: Written = wanted.source.parse().map_err(|error| Trouble::Wrong(format!("{error}")))?;
    let (into, tag) = destination(wanted, &source);
    if let Some(known) = inner.upstreams.of(&into).await? {
        let why = format!("{into} is a cache of {}: import into another repository", known.setting.host);
        return Err(Trouble::Denied(why));
    }
    let sealed = match &spec.secret {
        Some(id) => secret(registry, id).await?,
        None => None,
    };
    let what = format!("{} → {into}", wanted.source);
    course.say(&what);
    let (host, username) = (source.registry().to_owned(), wanted.username.clone());
    let (plain_http, ca) = (wanted.plain_http, wanted.ca.clone());
    let authority = inner.authority.clone();
    let made = spawn_blocking(move || {
        let (username, sealed, ca) = (username.as_deref(), sealed.as_deref(), ca.as_deref());
        Door { host: &host, username, sealed, plain_http, ca, hurry: false }.open(&authority)
    });
    let remote = made.await.map_err(Trouble::ended)??;
    let from = remote.repository(source.repository()).map_err(|error| Trouble::of(&error))?;
    let record = record(registry.name(), &into, source.registry(), "import")
        .detail("repository", source.repository())
        .detail("asked_by", by);
    let bring = Bring {
        inner: Arc::clone(inner),
        from,
        into: into.as_str().into(),
        record,
        tally: Arc::clone(&course.tally),
    };
    let reference = match (source.digest(), source.tag()) {
        (Some(digest), _) => Reference::Digest(digest.clone()),
        (None, tag) => Reference::Tag(tag.unwrap_or("latest").to_owned()),
    };
    let parts = Parts { platforms: platforms(&wanted.platforms)?, referrers: wanted.referrers };
    let tags: Vec<String> = tag.into_iter().collect();
    let digest = course.persist(&what, || bring.image(reference.clone(), tags.clone(), &parts)).await?;
    Ok(format!("{digest}: {}", course.tally.sentence()))
}

/// Repository and tag here; the tag is that of the source unless another one is named.
fn destination(wanted: &NewImport, source: &Written) -> (String, Option<String>) {
    if let Some((repository, tag)) = wanted.destination.rsplit_once(':') {
        return (repository.to_owned(), Some(tag.to_owned()));
    }
    let tag = source.tag().or(source.digest().is_none().then_some("latest"));
    (wanted.destination.clone(), tag.map(str::to_owned))
}

/// Platforms as people write them.
pub(super) fn platforms(written: &[String]) -> Result<Vec<Platform>, Trouble> {
    let each = written.iter().map(|text| text.parse().map_err(|error| (text, error)));
    let all: Result<_, (&String, boltseal_model::PlatformError)> = each.collect();
    all.map_err(|(text, error)| Trouble::Wrong(format!("platform `{text}`: {error}")))
}

async fn secret(registry: &Registry, id: &str) -> Result<Option<String>, Trouble> {
    let all = registry.0.facts.documents_of(kinds::IMPORT_SECRET).await?;
    Ok(all.into_iter().find(|document| document.id == id).and_then(|document| document.body))
}

/// The password has done its work.
async fn forget(registry: &Registry, id: String) {
    let gone = Document { kind: kinds::IMPORT_SECRET.to_owned(), id, body: None };
    if let Err(error) = registry.0.facts.change_settings(vec![gone]).await {
        tracing::error!(%error, "forgetting the password of an import");
    }
}
