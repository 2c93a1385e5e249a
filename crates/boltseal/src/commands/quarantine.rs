//! `boltseal quarantine list|put|release|clear`: somebody decides about an image, whatever its verdict says.

use boltseal_api::client::{Client, Error};
use boltseal_model::{QuarantineState, Reference};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::image::place::{Connection, image, named_image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, packages::grid_without_gaps, paint::clean},
};

/// Manifests of one page, which is what the server gives at most.
const PAGE: usize = 1_000;
/// Manifests of a repository that are looked at; each has been pushed by somebody.
const MAX_MANIFESTS: usize = 200_000;

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The verdict is the rule, and this is the exception, in one repository: an image that was put into quarantine is handed out to nobody \
but its inspectors and runs nowhere; one that was released may be pulled and run although a policy says no. Who decided and why is \
shown wherever the image is asked about, and in the audit log. It needs the role AcrQuarantineWriter.

Examples:
  boltseal quarantine put registry.example.com/team/app:v1 --note 'ticket 7: odd connections'
  boltseal quarantine release registry.example.com/team/app@sha256:e3b0… --note 'looked at by hand'
  boltseal quarantine list registry.example.com/team/app

Exit codes: 0 done; 1 the registry does not allow it; 2 usage; 3 not there, not logged in, or the server cannot be reached; \
4 internal fault")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List images of a repository that somebody decided about
    List(List),
    /// Hold an image back, whatever its verdict says
    Put(Decide),
    /// Let an image pass, whatever its verdict says
    Release(Decide),
    /// Let the verdict count again
    Clear(Clear),
}

#[derive(Debug, clap::Args)]
struct List {
    /// `REGISTRY/REPOSITORY`
    #[arg(value_name = "REPOSITORY")]
    repository: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct Decide {
    /// `REPOSITORY:TAG` or `REPOSITORY@DIGEST`
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// Why; shown to whoever asks about the image
    #[arg(long, value_name = "TEXT")]
    note: String,
}

#[derive(Debug, clap::Args)]
struct Clear {
    /// `REPOSITORY:TAG` or `REPOSITORY@DIGEST`
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// What is listed.
#[derive(Serialize)]
struct Decided {
    digest: String,
    tags: Vec<String>,
    state: &'static str,
    by: String,
    at: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    manifests: Vec<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    digest: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(rename = "changeableAttributes")]
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    #[serde(rename = "quarantineState")]
    state: Option<QuarantineState>,
    #[serde(rename = "quarantineBy")]
    by: Option<String>,
    #[serde(rename = "quarantineTime")]
    time: Option<String>,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let decide = |images: &[String], state, note: Option<&str>| {
        let references = images.iter().map(|text| named_image(text)).collect::<Result<Vec<_>, _>>()?;
        for reference in references {
            let client = args.connection.control(reference.registry(), global)?;
            let said = change(&client, &reference, state, note)?;
            console.note(format_args!("{said} {reference}"));
        }
        Ok(Exit::Pass)
    };
    match &args.verb {
        Verb::List(list) => {
            let reference = image(&list.repository)?;
            let client = args.connection.control(reference.registry(), global)?;
            let all = decided(&client, reference.repository())?;
            list.written.show(&all, console, |all, paint| {
                let rows = all.iter().map(|one| {
                    let state = one.state.to_owned();
                    // To the minute, as everywhere in tables.
                    let at: String = one.at.chars().take("2026-11-26T12:00".len()).collect();
                    [state, one.by.clone(), at.replace('T', " "), one.tags.join(" "), one.digest.clone()]
                });
                grid_without_gaps(&["state", "by", "at", "tags", "digest"], rows, paint)
            })?;
            Ok(Exit::Pass)
        }
        Verb::Put(asked) => decide(&asked.images, QuarantineState::Failed, Some(&asked.note)),
        Verb::Release(asked) => decide(&asked.images, QuarantineState::Passed, Some(&asked.note)),
        Verb::Clear(asked) => decide(&asked.images, QuarantineState::Quarantined, None),
    }
}

fn change(
    client: &Client,
    reference: &Reference,
    state: QuarantineState,
    note: Option<&str>,
) -> Result<&'static str, Failure> {
    let digest = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => {
            let path = acr(reference.repository(), &["_tags", tag.unwrap_or("latest")]);
            let found: Value = client.get(&path).map_err(|error| refused(error, reference))?;
            let digest = found.pointer("/tag/digest").and_then(Value::as_str);
            digest
                .ok_or_else(|| Failure::undecided(format_args!("{reference}: the registry names no digest")))?
                .to_owned()
        }
    };
    let body = json!({ "quarantineState": state, "quarantineDetails": note });
    let path = acr(reference.repository(), &["_manifests", &digest]);
    client.change(&path, &body).map_err(|error| refused(error, reference))?;
    Ok(match state {
        QuarantineState::Failed => "in quarantine:",
        QuarantineState::Passed => "released:",
        QuarantineState::Quarantined => "its verdict counts:",
    })
}

/// Every manifest of a repository that somebody decided about.
fn decided(client: &Client, repository: &str) -> Result<Vec<Decided>, Failure> {
    let (mut all, mut last, mut seen) = (Vec::new(), String::new(), 0);
    while seen < MAX_MANIFESTS {
        let path = format!("{}?n={PAGE}&last={last}", acr(repository, &["_manifests"]));
        let page: Page = client.get(&path).map_err(|error| told(error, repository))?;
        let Some(end) = page.manifests.last() else { break };
        let number = page.manifests.len();
        (last, seen) = (end.digest.replace(':', "%3A"), seen + number);
        for Manifest { digest, tags, attributes } in page.manifests {
            let (Some(state), Some(by)) = (attributes.state, attributes.by) else {
                continue;
            };
            let state = if state == QuarantineState::Passed { "released" } else { "quarantine" };
            all.push(Decided { digest, tags, state, by, at: attributes.time.unwrap_or_default() });
        }
        if number < PAGE {
            break;
        }
    }
    Ok(all)
}

/// A path of ACR's data plane, where the name of a repository is one segment.
fn acr(repository: &str, parts: &[&str]) -> String {
    format!("/acr/v1/{}/{}", repository.replace('/', "%2F"), parts.join("/"))
}

fn refused(error: Error, reference: &Reference) -> Failure {
    told(error, &reference.to_string())
}

/// Registries answer in their own words, and not with problem documents.
fn told(error: Error, what: &str) -> Failure {
    let Error::Answer { status, why, .. } = &error else { return error.into() };
    let said: Option<Value> = serde_json::from_str(why).ok();
    let said = said.as_ref().and_then(|said| said.pointer("/errors/0/message")).and_then(Value::as_str);
    let text = format!("{what}: {}", clean(said.unwrap_or(why)));
    match status {
        403 => Failure::denied(text).next("it needs the role AcrQuarantineWriter for the repository"),
        400 | 413 => Failure::usage(text),
        401 => Failure::undecided(text).next("run `boltseal login`"),
        _ => Failure::undecided(text),
    }
}
