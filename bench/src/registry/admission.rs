//! Admission of pods: reviews as an API server sends them, over TLS, at a steady rate.
//!
//! Half of the images are allowed and half are not known, one review after the other. Each is due at its time whether or not
//! the ones before were answered, and waits from then on: a server that falls behind shows it (there is no coordinated
//! omission). The bar of the design: 99 of 100 within 10 ms at 500 a second with warm verdicts.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use boltseal_wire::client::{Client, Method, Options, Payload, Request};
use serde_json::{Value, json};

use super::{
    connection::Connection,
    content::{Image, Layers},
    subject::{Programs, Subject, Which},
    transfers::{How, push},
};

/// Reviews a second.
const RATE: u64 = 500;
const SECONDS: u64 = 10;
/// Connections, as many as an API server has reviews on their way.
const CLIENTS: usize = 16;
const MAX_ANSWER: u64 = 1 << 20;
/// Images that pods name in turn.
const IMAGES: u64 = 50;

/// Runs it and prints what it found.
pub fn run(arguments: &[String]) -> Result<()> {
    let binary = match arguments {
        [flag, path] if flag == "--binary" => Some(path.as_str()),
        [] => None,
        other => anyhow::bail!("{other:?}: admission [--binary FILE]"),
    };
    let subject = Programs::find(binary)?.start(Which::Ours)?;
    let layers = Layers::of(10_000);
    for number in 0..IMAGES {
        let (image, name) = (Image::of(vec![layers.number(number)])?, format!("shop/web-{number}"));
        push(&mut Connection::new(&subject)?, &name, "latest", &image, How::Monolith)?;
        subject.wait_until_served(&name, "latest")?;
    }
    subject.rest()?;
    for path in ["validate", "mutate"] {
        one(&subject, path, RATE / 10)?;
        let (before, began) = (subject.cpu()?, Instant::now());
        let waits = one(&subject, path, RATE * SECONDS)?;
        let (cpu, took) = (subject.cpu()? - before, began.elapsed().as_secs_f64());
        let at = |share: f64| waits[(waits.len() as f64 * share) as usize];
        println!(
            "{path}: {} reviews at {:.0} a second: half within {:.2} ms, 99 of 100 within {:.2} ms, the last {:.2} ms; {:.3} \
             ms of CPU each",
            waits.len(),
            waits.len() as f64 / took,
            at(0.5),
            at(0.99),
            waits[waits.len() - 1],
            cpu / waits.len() as f64
        );
    }
    println!("bar: 99 of 100 within 10 ms at {RATE} a second");
    Ok(())
}

/// Sends `count` reviews at the rate; gives how long after its time each was answered, milliseconds, sorted.
fn one(subject: &Subject, path: &str, count: u64) -> Result<Vec<f64>> {
    let url = format!("https://127.0.0.1:{}/admission/{path}?timeout=10s", subject.dashboard);
    let (next, waits, began) = (AtomicU64::new(0), Mutex::new(Vec::new()), Instant::now());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let client =
                        Client::new(&Options { ca_file: Some(subject.authority()), ..Options::default() })?;
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok(());
                        }
                        let due = Duration::from_micros(number * 1_000_000 / RATE);
                        thread::sleep(due.saturating_sub(began.elapsed()));
                        ask(&client, &url, subject.port, path, number)?;
                        let wait = (began.elapsed().saturating_sub(due)).as_secs_f64() * 1e3;
                        waits.lock().unwrap_or_else(PoisonError::into_inner).push(wait);
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().ok().context("a client panicked")?)
    })?;
    let mut waits = waits.into_inner().unwrap_or_else(PoisonError::into_inner);
    waits.sort_by(f64::total_cmp);
    Ok(waits)
}

fn ask(client: &Client, url: &str, registry: u16, path: &str, number: u64) -> Result<()> {
    let is_known = number % 2 == 0;
    let name = if is_known { "web" } else { "unknown" };
    let image = format!("127.0.0.1:{registry}/shop/{name}-{}", number % IMAGES);
    let body = serde_json::to_vec(&review(number, &image))?;
    let request = Request::new(Method::Post, url)?
        .header("Content-Type", "application/json")
        .payload(Payload::Bytes(&body));
    let answer: Value = serde_json::from_slice(&client.send(request)?.bytes(MAX_ANSWER)?)?;
    let response = &answer["response"];
    // A mutation lets everything through, with the digest of what is known.
    let (allowed, pinned) = (response["allowed"] == true, response["patch"].is_string());
    let right = if path == "mutate" { allowed && pinned == is_known } else { allowed == is_known };
    ensure!(right, "{image}: {answer}");
    Ok(())
}

/// A pod as `kubectl run` makes it, with two containers.
fn review(number: u64, image: &str) -> Value {
    let container = |name: &str| {
        json!({
            "name": name, "image": image, "imagePullPolicy": "IfNotPresent", "resources": {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "env": [{ "name": "MODE", "value": "bench" }], "ports": [{ "containerPort": 8080, "protocol": "TCP" }],
        })
    };
    let gvk = json!({ "group": "", "version": "v1", "kind": "Pod" });
    let gvr = json!({ "group": "", "version": "v1", "resource": "pods" });
    json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": format!("b4561fa6-0b18-41bb-bb8c-{number:012}"), "kind": gvk, "resource": gvr, "requestKind": gvk,
            "requestResource": gvr, "name": "web", "namespace": "shop", "operation": "CREATE",
            "userInfo": { "username": "admin", "groups": ["system:masters", "system:authenticated"] },
            "object": {
                "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "web", "namespace": "shop" },
                "spec": {
                    "containers": [container("web"), container("side")], "restartPolicy": "Always",
                    "serviceAccountName": "default", "dnsPolicy": "ClusterFirst",
                },
            },
            "dryRun": false,
        },
    })
}
