//! `boltseal webhook install`: the configurations in a cluster, tried before anybody depends on them.
//!
//! 1. The server is asked a question as an API server asks it, with the authority that the API server will believe. With a
//!    service, the service must be there.
//! 2. The configurations are written: first what puts digests behind tags, then what judges.
//! 3. A pod of an image that nobody knows is made as a dry run, until the answer is the server's. If the API server cannot reach
//!    it, the configurations are emptied again: a cluster that can make nothing is worse than one that asks nobody.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use boltseal_api::admission::{Switch, Switched};
use boltseal_model::Timestamp;
use boltseal_wire::client::{Client, Method, Options, Payload, Request};
use serde_json::{Value, json};

use super::{
    configuration::{OnFailure, Wanted},
    installed::{self, Installed, Kind},
    off,
};
use crate::{
    cli::Global,
    cluster::{Access, Cluster},
    console::Console,
    exit::{Exit, Failure},
    reach::Reach,
};

/// API servers see a new configuration within a second or two; several of them not in the same moment.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// What an answer has at most.
const MAX_ANSWER: u64 = 1 << 20;
/// `.invalid` is never a host (RFC 2606).
const HOST: &str = "boltseal.invalid";
/// An image that nobody has.
const NOBODY: &str = "boltseal.invalid/a-question-of-boltseal-webhook-install:1";

/// What to install, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Before anything is written, the server is asked as the API server will ask it; afterwards a pod of an unknown image is made as a \
dry run. If the API server cannot reach the server, everything is switched off again.

Examples:
  boltseal webhook install --service boltseal/boltseal --ca ca.pem
  boltseal webhook install --url https://boltseal.example:8443 --ca ca.pem --context prod --except flux-system

Exit codes: 0 the cluster asks; 1 the API server says no; 2 usage, or a configuration is not ours; 3 it could not be told, and what \
was written is switched off")]
pub struct Args {
    #[command(flatten)]
    wanted: Wanted,
    /// Namespace in which the dry run is made
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    try_in: String,
    #[command(flatten)]
    cluster: Access,
}

/// What a dry run told.
enum Tried {
    /// The answer came from the server.
    Asked,
    /// The API server could not reach it.
    Unreached(String),
    /// It let the pod in, or it refused for another reason.
    Unclear(String),
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let documents = args.wanted.documents()?;
    let cluster = args.cluster.open()?;
    let mut before = Vec::new();
    for kind in Kind::ALL {
        before.push((kind, installed::find(&cluster, kind)?));
    }
    check(args, &cluster)?;
    let earlier = before.iter().find_map(|(_, one)| one.as_ref()).filter(|one| one.off().is_some());
    // The one that judges comes last, so that nothing is refused by a tag that was about to get its digest.
    for (kind, was) in before.iter().rev() {
        let text = documents.iter().find(|text| text.contains(&format!("kind: {}\n", kind.word())));
        match (text, was) {
            (Some(text), was) => {
                let wanted: Value = serde_saphyr::from_str(text).map_err(Failure::fault)?;
                installed::put(&cluster, *kind, wanted, was.as_ref())?;
                console.note(format_args!("wrote the {} of {}", kind.word(), cluster.name));
            }
            (None, Some(_)) => installed::remove(&cluster, *kind)?,
            (None, None) => {}
        }
    }
    match dry_run(&cluster, &args.try_in)? {
        Tried::Asked => console.note(format_args!("{} asks, and heeds the answer", cluster.name)),
        Tried::Unclear(why) => console.warning(format_args!(
            "a dry run in {} was not answered by the server: {why}; look at `boltseal webhook show`",
            args.try_in
        )),
        Tried::Unreached(why) => return back(&cluster, &why),
    }
    if args.wanted.failure_policy == OnFailure::Ignore {
        console.note("while nobody answers, everything is let in: look at `boltseal webhook gap` afterwards");
    }
    record(global, &cluster, earlier, console);
    Ok(Exit::Pass)
}

/// Whether there is somebody to ask.
fn check(args: &Args, cluster: &Cluster) -> Result<(), Failure> {
    if let Some(service) = &args.wanted.service {
        let path = format!("/api/v1/namespaces/{}/services/{}", service.namespace, service.name);
        let there = cluster.get(&path)?.is_some();
        return if there {
            Ok(())
        } else {
            Err(Failure::usage(format_args!(
                "{} has no service {}/{}: nothing was written",
                cluster.name, service.namespace, service.name
            ))
            .next("install the server in the cluster first"))
        };
    }
    let url = format!("{}/admission/validate?timeout=5s", args.wanted.url.as_deref().unwrap_or_default());
    let authorities = Some(args.wanted.authority()?);
    let away = |wrong: &dyn std::fmt::Display| {
        Failure::undecided(format_args!("{url} does not answer reviews, so nothing was written: {wrong}"))
            .next("name the server's address, and the authority of its certificate with --ca")
    };
    let options = Options { total: Duration::from_secs(10), authorities, ..Options::default() };
    let client = Client::new(&options).map_err(|wrong| away(&wrong))?;
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "install", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "namespace": args.try_in, "dryRun": true, "object": pod(&args.try_in)}})
    .to_string();
    let request = Request::new(Method::Post, &url).map_err(|wrong| away(&wrong))?;
    let request =
        request.header("Content-Type", "application/json").payload(Payload::Bytes(review.as_bytes()));
    let response = client.send(request).map_err(|wrong| away(&wrong))?;
    let status = response.status();
    let bytes = response.bytes(MAX_ANSWER).map_err(|wrong| away(&wrong))?;
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match answer.pointer("/response/uid").and_then(Value::as_str) {
        Some("install") => Ok(()),
        _ => Err(away(&format_args!("it answered {status} with something else"))),
    }
}

fn pod(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "boltseal-webhook-install-", "namespace": namespace},
        "spec": {"automountServiceAccountToken": false, "containers": [{"name": "question", "image": NOBODY}]}})
}

fn dry_run(cluster: &Cluster, namespace: &str) -> Result<Tried, Failure> {
    let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = cluster.ask(Method::Post, &path, Some(&pod(namespace)))?;
        let message = answer.message();
        if message.contains("failed calling webhook") && message.contains("boltseal.io") {
            return Ok(Tried::Unreached(message.to_owned()));
        }
        // Refused, or let in with a warning that only the server gives.
        if message.contains("denied the request: boltseal:") || answer.warning.contains(HOST) {
            return Ok(Tried::Asked);
        }
        // Let in: it does not ask yet, or was told to let in what nobody knows.
        if answer.status >= 300 {
            return Ok(Tried::Unclear(message.to_owned()));
        }
        if Instant::now() >= end {
            return Ok(Tried::Unclear("a pod of an unknown image was let in".to_owned()));
        }
        sleep(PAUSE);
    }
}

/// Takes back what was written.
fn back(cluster: &Cluster, why: &str) -> Result<Exit, Failure> {
    let at = off::shown(Timestamp::now());
    for kind in Kind::ALL {
        if let Some(one) = installed::find(cluster, kind)? {
            let reason = "installing it failed: the API server could not reach the server";
            installed::put(cluster, kind, one.switched_off([&at, &cluster.user, reason], false), Some(&one))?;
        }
    }
    Err(Failure::undecided(format_args!(
        "the API server of {} cannot reach the server, so it asks nobody: {why}",
        cluster.name
    ))
    .next("check the address and the network between them, then install again"))
}

/// That the cluster asks from now on, and that it did not before, is in the log.
fn record(global: &Global, cluster: &Cluster, earlier: Option<&Installed>, console: &Console) {
    let late =
        earlier.filter(|one| one.is_unrecorded()).and_then(Installed::off).map(|[since, by, reason]| {
            Switched {
                state: Switch::Off,
                at: since.parse().unwrap_or_else(|_| Timestamp::now()),
                user: by,
                reason: Some(reason),
            }
        });
    let on = Switched { state: Switch::On, at: Timestamp::now(), user: cluster.user.clone(), reason: None };
    for switched in late.into_iter().chain([on]) {
        if let Err(why) = off::tell(&Reach::last(), global, cluster, &switched) {
            console.warning(format_args!("this is not in the server's log: {why}"));
        }
    }
}
