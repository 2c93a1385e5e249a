//! Mirrors: repositories of another registry, copied here again and again, as jobs.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use boltseal_api::upstreams::{Kept, Mirror, MirrorJob, kinds};
use boltseal_audit::record::Activity;
use boltseal_image::remote::{Remote, Repository};
use boltseal_model::Timestamp;
use boltseal_store::Job;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::{
    Bring, Door, Trouble, fetch::Reference, fits, import::platforms, job::Course, record, walk::Parts,
};
use crate::{
    Registry,
    work::{Ended, Reporter, Running},
};

/// How often schedules are looked at.
const LOOK: Duration = Duration::from_secs(15);
/// Tags of one repository that are looked at. The largest public repositories have some ten thousand.
const MAX_TAGS: usize = 100_000;
/// Failures that a message names.
const MAX_NAMED: usize = 3;

/// The last tag that is done.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    repository: String,
    tag: String,
}

/// What came of a run.
#[derive(Debug, Default)]
struct Outcome {
    tags: u64,
    unchanged: u64,
    removed: u64,
    failed: Vec<String>,
}

/// Begins runs when they are due, for ever.
pub(crate) async fn schedule(registry: Registry) {
    loop {
        if let Err(trouble) = begin_due(&registry).await {
            tracing::error!(why = trouble.sentence(), "looking for mirrors that are due");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn begin_due(registry: &Registry) -> Result<(), Trouble> {
    let (facts, now) = (&registry.0.facts, Timestamp::now());
    for document in facts.documents_of(kinds::MIRROR).await? {
        let body = document.body.unwrap_or_default();
        let Ok(Kept::<Mirror> { setting, .. }) = serde_json::from_str(&body) else { continue };
        let Some(every) = setting.every.filter(|_| !setting.paused) else { continue };
        let before = now - Duration::from_secs(every);
        let due = facts.mirror_started(&setting.name).await?.is_none_or(|last| last <= before);
        if due && facts.start_mirror(&setting.name, before, now).await? {
            let spec = MirrorJob { mirror: setting.name };
            let spec = serde_json::to_string(&spec).map_err(Trouble::ended)?;
            facts.request_job(kinds::MIRROR_JOB, &spec, "schedule").await?;
        }
    }
    Ok(())
}

/// Does one run.
pub(crate) fn run(registry: Registry, job: Job, reporter: Arc<Reporter>) -> Running {
    Box::pin(async move {
        let course = Course::new(reporter);
        let outcome = match course.run(Box::pin(mirror(&registry, &course, &job))).await {
            None => return Ended::Stopped("stopped; what is here stays".to_owned()),
            Some(Err(trouble)) => return Ended::Failed(trouble.sentence().to_owned()),
            Some(Ok(outcome)) => outcome,
        };
        let Outcome { tags, unchanged, removed, failed } = outcome;
        let gone = if removed > 0 { format!(", {removed} tags removed") } else { String::new() };
        let sentence = format!("{tags} tags, {unchanged} unchanged, {}{gone}", course.tally.sentence());
        if failed.is_empty() {
            return Ended::Done(sentence);
        }
        let named = failed.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join("; ");
        Ended::Failed(format!("{} of them failed: {named} ({sentence})", failed.len()))
    })
}

async fn mirror(registry: &Registry, course: &Course, job: &Job) -> Result<Outcome, Trouble> {
    let spec: MirrorJob = serde_json::from_str(&job.spec).map_err(Trouble::ended)?;
    let Kept { setting, sealed } = setting(registry, &spec.mirror).await?;
    let parts = Parts { platforms: platforms(&setting.platforms)?, referrers: setting.referrers };
    let authority = registry.0.authority.clone();
    let door = setting.clone();
    let made = spawn_blocking(move || {
        let (username, ca) = (door.username.as_deref(), door.ca.as_deref());
        let (host, plain_http) = (door.host.as_str(), door.plain_http);
        Door { host, username, sealed: sealed.as_deref(), plain_http, ca, hurry: false }.open(&authority)
    });
    let remote: Remote = made.await.map_err(Trouble::ended)??;
    let resume: Option<Place> = job.resume.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let done = resume
        .as_ref()
        .and_then(|place| setting.repositories.iter().position(|repository| *repository == place.repository));
    let mut outcome = Outcome::default();
    for repository in setting.repositories.iter().skip(done.unwrap_or(0)) {
        let after = resume.as_ref().filter(|place| place.repository == *repository);
        let after = after.map(|place| place.tag.as_str());
        let from = remote.repository(repository).map_err(|error| Trouble::of(&error))?;
        let run = Run { registry, course, setting: &setting, parts: &parts, by: &job.by };
        run.repository(from, after, &mut outcome).await?;
    }
    Ok(outcome)
}

async fn setting(registry: &Registry, name: &str) -> Result<Kept<Mirror>, Trouble> {
    let all = registry.0.facts.documents_of(kinds::MIRROR).await?;
    let found = all.into_iter().find(|document| document.id == name).and_then(|document| document.body);
    let body = found.ok_or_else(|| Trouble::Missing(format!("there is no mirror {name} any more")))?;
    serde_json::from_str(&body).map_err(|error| Trouble::Wrong(format!("mirror {name}: {error}")))
}

/// One run, and what it is about.
struct Run<'r> {
    registry: &'r Registry,
    course: &'r Course,
    setting: &'r Mirror,
    parts: &'r Parts,
    by: &'r str,
}

impl Run<'_> {
    async fn repository(
        &self,
        from: Repository,
        after: Option<&str>,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let (inner, name) = (&self.registry.0, from.name().to_owned());
        let into = format!("{}/{name}", self.setting.destination);
        if let Some(known) = inner.upstreams.of(&into).await? {
            let why = format!("{into} is a cache of {}: mirror elsewhere", known.setting.host);
            return Err(Trouble::Denied(why));
        }
        let all = self.course.persist(&format!("tags of {name}"), || tags(from.clone())).await?;
        let wanted = wanted(&all, self.setting);
        // A tag that is not there any more does not say where to go on.
        let done = after.and_then(|after| wanted.iter().position(|tag| tag == after));
        let why = format!("mirror {}", self.setting.name);
        let record = record(self.registry.name(), &into, &self.setting.host, &why)
            .detail("repository", name.clone())
            .detail("asked_by", self.by);
        let tally = Arc::clone(&self.course.tally);
        let bring = Bring { inner: Arc::clone(inner), from, into: into.as_str().into(), record, tally };
        for (at, tag) in wanted.iter().enumerate().skip(done.map_or(0, |done| done + 1)) {
            let what = format!("{name}:{tag}, {} of {}", at + 1, wanted.len());
            self.course.say(&what);
            match self.course.persist(&what, || self.tag(&bring, tag)).await {
                Ok(true) => outcome.tags += 1,
                Ok(false) => (outcome.tags, outcome.unchanged) = (outcome.tags + 1, outcome.unchanged + 1),
                // A registry that is away after all that waiting is away for the other tags, too.
                Err(trouble @ Trouble::Away(_)) => return Err(trouble),
                Err(trouble) => outcome.failed.push(format!("{name}:{tag}: {}", trouble.sentence())),
            }
            let place = Place { repository: name.clone(), tag: tag.clone() };
            self.course.resume(serde_json::to_string(&place).map_err(Trouble::ended)?);
        }
        if self.setting.delete {
            outcome.removed += self.remove_gone(&bring, &all).await?;
        }
        Ok(())
    }

    /// Brings what a tag stands for. False: it is here.
    async fn tag(&self, bring: &Bring, tag: &str) -> Result<bool, Trouble> {
        let digest = bring.head(Reference::Tag(tag.to_owned())).await?;
        let facts = &bring.inner.facts;
        // The tag is set after everything else.
        let same = facts.tag(&bring.into, tag).await?.as_ref() == Some(&digest);
        if same && facts.manifest(&bring.into, &digest).await?.is_some() && !self.parts.referrers {
            return Ok(false);
        }
        let before = bring.tally.manifests.load(std::sync::atomic::Ordering::Relaxed);
        let tags = if same { Vec::new() } else { vec![tag.to_owned()] };
        bring.image(Reference::Digest(digest), tags, self.parts).await?;
        let after = bring.tally.manifests.load(std::sync::atomic::Ordering::Relaxed);
        Ok(!same || after > before)
    }

    /// Takes away tags that the mirror would bring, and that are not there any more.
    async fn remove_gone(&self, bring: &Bring, there: &[String]) -> Result<u64, Trouble> {
        let facts = &bring.inner.facts;
        let here = facts.tags(&bring.into, "", MAX_TAGS as u64).await?.unwrap_or_default();
        let mut removed = 0;
        for tag in here.iter().filter(|tag| is_meant(tag, self.setting) && !there.contains(tag)) {
            let record = bring.record.clone().named(tag.as_str());
            let record = record
                .status(format!("the tag {tag} was removed, since {} has it no more", self.setting.host));
            let record = boltseal_audit::Record { activity: Activity::Delete, ..record };
            if facts.recording(vec![record.entry()]).remove_tag(&bring.into, tag).await? {
                removed += 1;
            }
        }
        bring.inner.deleted();
        Ok(removed)
    }
}

async fn tags(from: Repository) -> Result<Vec<String>, Trouble> {
    let listed = spawn_blocking(move || from.tags().and_then(|pages| pages.all(MAX_TAGS)));
    listed.await.map_err(Trouble::ended)?.map_err(|error| Trouble::of(&error))
}

/// The tags to bring, the highest first.
fn wanted(all: &[String], setting: &Mirror) -> Vec<String> {
    let mut wanted: Vec<String> = all.iter().filter(|tag| is_meant(tag, setting)).cloned().collect();
    wanted.sort_by(|a, b| by_version(b, a));
    if let Some(newest) = setting.newest {
        wanted.truncate(usize::try_from(newest).unwrap_or(usize::MAX));
    }
    wanted
}

fn is_meant(tag: &str, setting: &Mirror) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, tag));
    (setting.tags.is_empty() || any(&setting.tags)) && !any(&setting.skip)
}

/// Numbers in tags count as numbers: `1.10` is above `1.9`. No tag says when it was made.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (one, other) = (first(&mut a), first(&mut b));
        let number = |text: &str| text.parse::<u128>().ok();
        let order = match (number(one), number(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.cmp(other),
        };
        if order.is_ne() || (one.is_empty() && other.is_empty()) {
            return order;
        }
    }
}

/// Takes the digits, or what is none, from the beginning.
fn first<'t>(text: &mut &'t str) -> &'t str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    *text = tail;
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(more: &serde_json::Value) -> Mirror {
        let mut mirror = serde_json::json!({
            "name": "m", "host": "r.example", "repositories": ["app"], "destination": "mirror",
        });
        mirror.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(mirror).unwrap()
    }

    #[test]
    fn which_tags() {
        let all: Vec<String> =
            ["1.9", "1.10", "1.10-rc1", "latest", "2.0", "2.0-slim", "nightly-3"].map(str::to_owned).into();
        for (more, expected) in [
            (
                serde_json::json!({}),
                &["nightly-3", "latest", "2.0-slim", "2.0", "1.10-rc1", "1.10", "1.9"][..],
            ),
            (serde_json::json!({"tags": ["1.*", "2.*"], "skip": ["*-*"]}), &["2.0", "1.10", "1.9"]),
            (serde_json::json!({"tags": ["1.*", "2.*"], "skip": ["*-*"], "newest": 2}), &["2.0", "1.10"]),
            (serde_json::json!({"tags": ["3.*"]}), &[]),
            (serde_json::json!({"newest": 0}), &[]),
        ] {
            assert_eq!(wanted(&all, &mirror(&more)), expected, "{more}");
        }
    }
}
