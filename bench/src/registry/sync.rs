//! Images that come from another registry when they are asked for: zot's "on-demand sync" of 100 MB and of 1 GB.
//!
//! The other registry is the peer's program, filled before. Ours fetches an image whole, checks every digest, has it judged
//! and only then serves its first byte; the peer passes on what comes and checks it at the end. Time is that of one client
//! from its first request to its last byte, with nothing of it here before.

use std::{thread, time::Duration};

use anyhow::{Result, bail};
use boltseal_wire::client::{Client, Method, Options as Http, Payload, Request as Ask};
use serde_json::{Value, json};

use super::{
    Options,
    connection::{Connection, Request},
    content::{Image, Layers, MANIFEST},
    measure,
    subject::{Programs, Subject, Which},
    table::{Sample, Table},
    transfers::{How, get, push},
};

const MIB: usize = 1 << 20;
const SIZES: [(&str, usize); 2] = [("on-demand sync 100 MB", 100 * MIB), ("on-demand sync 1 GB", 1024 * MIB)];
/// How often a client asks again for an image that is still being fetched or judged.
const AGAIN: Duration = Duration::from_millis(10);
const PATIENCE: usize = 6_000;
const PREFIX: &str = "hub";

/// Fetches each size through ours and through the peer.
pub fn run(programs: &Programs, options: &Options, table: &mut Table) -> Result<()> {
    for (name, size) in SIZES.into_iter().filter(|(name, _)| options.wants(name)) {
        if programs.docker_registry.is_none() {
            println!("skipped: {name}: no docker-registry on PATH to fetch from");
            continue;
        }
        let size = if options.quick { size / 100 } else { size };
        let image = Image::of(vec![Layers::of(size).number(0)])?;
        let other = programs.start(Which::Peer)?;
        push(&mut Connection::new(&other)?, "shop/web", "latest", &image, How::Monolith)?;
        let mut samples: [Vec<Sample>; 2] = Default::default();
        for _ in 0..options.rounds.min(3) {
            let ours = programs.start(Which::Ours)?;
            follow(&ours, other.port)?;
            let pulled = |connection: &mut Connection<'_>, _| pull(connection, PREFIX, &image);
            samples[0].push(measure(&ours, 1, 1, &pulled)?);
            drop(ours);
            let peer = programs.proxy(other.port)?;
            let pulled = |connection: &mut Connection<'_>, _| pull(connection, "", &image);
            samples[1].push(measure(&peer, 1, 1, &pulled)?);
        }
        let [ours, peer] = samples;
        table.add(name, &ours, &peer, &[]);
    }
    Ok(())
}

/// Makes ours a cache of the registry at `port`.
fn follow(ours: &Subject, port: u16) -> Result<()> {
    let client = Client::new(&Http { ca_file: Some(ours.authority()), ..Http::default() })?;
    let post = |path: &str, token: Option<&str>, body: Value| -> Result<Value> {
        let (url, body) = (format!("https://127.0.0.1:{}{path}", ours.dashboard), serde_json::to_vec(&body)?);
        let mut ask = Ask::new(Method::Post, &url)?
            .header("Content-Type", "application/json")
            .payload(Payload::Bytes(&body));
        if let Some(token) = token {
            ask = ask.header("Authorization", format!("Bearer {token}"));
        }
        let bytes = client.send(ask)?.success()?.bytes(1 << 20)?;
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    };
    let session = post("/api/v1/login", None, json!({ "name": "admin", "secret": ours.printed_secret()? }))?;
    let upstream =
        json!({ "name": PREFIX, "prefix": PREFIX, "host": format!("127.0.0.1:{port}"), "plain_http": true });
    post("/api/v1/upstreams", session["access_token"].as_str(), upstream)?;
    // The list of upstreams may be a second old.
    thread::sleep(Duration::from_millis(1_500));
    Ok(())
}

fn pull(connection: &mut Connection<'_>, prefix: &str, image: &Image) -> Result<()> {
    let repository = format!("{prefix}/shop/web");
    let repository = repository.trim_start_matches('/');
    let manifest = format!("/v2/{repository}/manifests/latest");
    let wanted = [("Accept", MANIFEST)];
    for waited in 0.. {
        let answer = connection.send(Request::new("GET", &manifest).headers(&wanted))?;
        match answer.status {
            200 => break,
            403 | 404 | 429 | 503 if waited < PATIENCE => thread::sleep(AGAIN),
            status => bail!("{manifest} answered {status}"),
        }
    }
    for blob in image.blobs.iter().rev() {
        get(connection, &format!("/v2/{repository}/blobs/{}", blob.digest))?;
    }
    Ok(())
}
