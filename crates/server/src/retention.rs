//! Rules about which images are kept and which are deleted: changing them, looking at what they would do, having it
//! done. The registry does it.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use boltseal_api::retention::{Going, NewRun, Plan, Rule, Run};
use boltseal_audit::record::Activity;
use boltseal_flow::retention::{Image, covers, plan as make_plan};
use boltseal_store::KeptManifest;

use crate::{
    State,
    asking::Asking,
    control::{By, created, done, read},
    failure::Failure,
    settings,
};

/// The kind of the documents.
const RULES: &str = "registry.retention";
/// The kind of the job.
const JOB: &str = "retention";
/// Where rules are, in records.
const PLACE: &str = "/registries/main/retention";
/// What a plan lists at most; the sums are of all.
const MAX_LISTED: usize = 1_000;
/// Repositories read at a time.
const PAGE: u64 = 1_000;
/// Manifests of one repository that are planned for, as in a run.
const MAX_MANIFESTS: u64 = 500_000;
/// Patterns of one rule.
const MAX_PATTERNS: usize = 50;
/// Characters of a pattern.
const MAX_PATTERN: usize = 255;

/// `GET /api/v1/retention/rules`
pub(crate) async fn rules(From(state): From<State>) -> Result<Json<Vec<Rule>>, Failure> {
    Ok(Json(settings::all(&state.facts, RULES).await?))
}

/// `POST /api/v1/retention/rules`: adds one, or changes the one with its name.
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let rule: Rule = read(request).await?;
    check(&rule)?;
    let record = settings::changed(&state, &by, Activity::Update, PLACE, &rule.name).await?;
    let after = serde_json::to_value(&rule).unwrap_or_default();
    settings::put(&state.facts, RULES, &rule.name, &rule, &record.detail("after", after)).await?;
    Ok(created(rule))
}

/// `DELETE /api/v1/retention/rules/{name}`
pub(crate) async fn remove(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = settings::changed(&state, &by, Activity::Delete, PLACE, &name).await?;
    settings::remove(&state.facts, RULES, "rule", &name, &record).await?;
    Ok(done())
}

/// `GET /api/v1/retention/plan?rule=&repository=`: what a run would delete now, and why.
pub(crate) async fn plan(From(state): From<State>, asking: Asking) -> Result<Json<Plan>, Failure> {
    let mut rules: Vec<Rule> = settings::all(&state.facts, RULES).await?;
    only(&mut rules, asking.some("rule").as_deref())?;
    let mut plan = Plan { at: (state.now)(), repositories: 0, kept: 0, images: Vec::new(), total: 0 };
    if let Some(repository) = asking.some("repository") {
        add_repository(&state, &repository, &rules, &mut plan).await?;
        return Ok(Json(plan));
    }
    let mut last = String::new();
    loop {
        let page = state.facts.repositories(&last, PAGE).await?;
        let Some(end) = page.last().cloned() else { return Ok(Json(plan)) };
        for repository in page {
            add_repository(&state, &repository, &rules, &mut plan).await?;
        }
        last = end;
    }
}

/// `POST /api/v1/retention/runs`
pub(crate) async fn start(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewRun = read(request).await?;
    let mut rules: Vec<Rule> = settings::all(&state.facts, RULES).await?;
    only(&mut rules, asked.rule.as_deref())?;
    let name = asked.rule.as_deref().unwrap_or("all rules");
    let record = settings::changed(&state, &by, Activity::Other, PLACE, name).await?;
    let spec = serde_json::to_string(&asked).map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let facts = state.facts.recording(vec![record.status("a run was asked for").entry()]);
    let job = facts.request_job(JOB, &spec, by.caller.name.as_ref()).await?;
    Ok((StatusCode::ACCEPTED, Json(Run { job })).into_response())
}

/// Lets one rule delete, and the others only keep.
fn only(rules: &mut [Rule], name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    if rules.iter().all(|rule| rule.name != name) {
        return Err(Failure::missing("rule", name));
    }
    for rule in rules {
        rule.disabled |= rule.name != name;
    }
    Ok(())
}

fn check(rule: &Rule) -> Result<(), Failure> {
    let wrong = |why: &str| Err(Failure::Asked(why.to_owned()));
    let patterns = || rule.tags.iter().chain(&rule.keep).chain([&rule.repositories]);
    if patterns().count() > MAX_PATTERNS {
        return wrong("a rule has at most fifty patterns");
    }
    if patterns().any(|pattern| pattern.is_empty() || pattern.len() > MAX_PATTERN) {
        return wrong("a pattern has 1 to 255 characters; `*` stands for any text");
    }
    if rule.untagged && !rule.tags.is_empty() {
        return wrong("images without tags have no tags that could be like a pattern");
    }
    if !rule.deletes() && rule.keep.is_empty() {
        return wrong("a rule needs a condition, such as `older_than_days`, or a pattern of tags to keep");
    }
    Ok(())
}

async fn add_repository(
    state: &State,
    repository: &str,
    rules: &[Rule],
    plan: &mut Plan,
) -> Result<(), Failure> {
    let those: Vec<&Rule> = rules.iter().filter(|rule| covers(rule, repository)).collect();
    if !those.iter().any(|rule| rule.deletes() && !rule.disabled) {
        return Ok(());
    }
    let there = state.facts.kept_manifests(repository, MAX_MANIFESTS).await?;
    plan.repositories += 1;
    plan.kept += there.len() as u64;
    if there.len() as u64 >= MAX_MANIFESTS {
        return Ok(());
    }
    let images: Vec<Image> = there.iter().map(image).collect();
    for going in make_plan(&images, &those, plan.at) {
        plan.kept -= 1;
        plan.total += 1;
        let kept = there.iter().find(|kept| kept.digest == going.digest);
        if let Some(kept) = kept.filter(|_| plan.images.len() < MAX_LISTED) {
            plan.images.push(Going {
                repository: repository.to_owned(),
                digest: going.digest.to_string(),
                tags: kept.tags.clone(),
                rule: going.rule,
                why: going.why,
                bytes: kept.size,
            });
        }
    }
    Ok(())
}

fn image(kept: &KeptManifest) -> Image {
    Image {
        digest: kept.digest.clone(),
        tags: kept.tags.clone(),
        pushed: kept.pushed,
        pulled: kept.pulled,
        denied: kept.denied,
        subject: kept.subject.clone(),
        children: kept.children.clone(),
        locked: kept.locked,
    }
}
