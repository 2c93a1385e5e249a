//! A small HTTP client that costs little beside the server it measures.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};
use boltseal_model::Digest;
use boltseal_testkit::image::Layer;

use super::subject::Subject;

/// Every pull waits until its record is on disk; as many as share one flush of the disk decide the rate.
const CONNECTIONS: usize = 64;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layer with one file of `size` bytes that do not compress, as a plain tar.
pub fn random_layer(seed: usize, size: usize) -> Vec<u8> {
    Layer::new().file("noise", noise(seed, size)).tar()
}

/// The same bytes for the same `seed` (xorshift64*).
fn noise(seed: usize, size: usize) -> Vec<u8> {
    let mut state = seed as u64 * 2 + 88_172_645_463_325_252;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// GET on a fresh connection; the status.
pub fn get(stream: TcpStream, subject: &Subject, path: &str) -> Result<u16> {
    Connection::new(stream)?
        .exchange(subject, "GET", path, &[("Accept", MANIFEST)], b"")
        .map(|(status, _)| status)
}

/// Pushes an image of `layers` to `repository:latest`, blobs over four connections as clients do.
pub fn push(subject: &Subject, repository: &str, layers: &[Vec<u8>]) -> Result<()> {
    let config = config(layers)?;
    let blobs: Vec<&[u8]> = layers.iter().map(Vec::as_slice).chain([config.as_slice()]).collect();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut connection = Connection::new(subject.connect()?)?;
                    while let Some(blob) = blobs.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                        upload(&mut connection, subject, repository, blob)?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("an upload thread died")))
    })?;
    let entry = |kind: &str, blob: &[u8]| serde_json::json!({"mediaType": kind, "size": blob.len(), "digest": Digest::of(blob).to_string()});
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": entry("application/vnd.oci.image.config.v1+json", &config),
        "layers": layers.iter().map(|l| entry("application/vnd.oci.image.layer.v1.tar", l)).collect::<Vec<_>>(),
    });
    let path = format!("/v2/{repository}/manifests/latest");
    let body = serde_json::to_vec(&manifest)?;
    let (status, _) = Connection::new(subject.connect()?)?.exchange(
        subject,
        "PUT",
        &path,
        &[("Content-Type", MANIFEST)],
        &body,
    )?;
    ensure!(status == 201, "PUT {path} answered {status}");
    Ok(())
}

/// `count` GETs of one manifest by tag, over [`CONNECTIONS`] kept-alive connections.
pub fn manifests(subject: &Subject, repository: &str, count: u64) -> Result<()> {
    let left = AtomicU64::new(count);
    let path = format!("/v2/{repository}/manifests/latest");
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut connection = Connection::new(subject.connect()?)?;
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                        .is_ok()
                    {
                        let (status, _) =
                            connection.exchange(subject, "GET", &path, &[("Accept", MANIFEST)], b"")?;
                        ensure!(status == 200, "GET {path} answered {status}");
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a load thread died")))
    })
}

/// A plain tar is its own diff id.
fn config(layers: &[Vec<u8>]) -> Result<Vec<u8>> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let rootfs = serde_json::json!({"type": "layers", "diff_ids": diff_ids});
    let config = serde_json::json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs});
    Ok(serde_json::to_vec(&config)?)
}

fn upload(connection: &mut Connection, subject: &Subject, repository: &str, blob: &[u8]) -> Result<()> {
    let (status, location) =
        connection.exchange(subject, "POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"")?;
    ensure!(status == 202, "POST upload answered {status}");
    let location = location.context("no Location of an upload")?;
    let path = location.find("/v2/").map(|at| &location[at..]).context("odd Location of an upload")?;
    let joint = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{joint}digest={}", Digest::of(blob));
    let kind = [("Content-Type", "application/octet-stream")];
    let (status, _) = connection.exchange(subject, "PUT", &path, &kind, blob)?;
    ensure!(status == 201, "PUT blob answered {status}");
    Ok(())
}

struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Connection {
    fn new(stream: TcpStream) -> Result<Self> {
        Ok(Self { answers: BufReader::new(stream.try_clone()?), stream })
    }

    /// One request; the status and the `Location` of the answer, whose body is read and forgotten.
    fn exchange(
        &mut self,
        subject: &Subject,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<(u16, Option<String>)> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", subject.port);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(authorization) = &subject.authorization {
            head += &format!("Authorization: {authorization}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<(u16, Option<String>)> {
        let (mut status, mut length, mut location) = (0, 0, None);
        let mut line = String::new();
        loop {
            line.clear();
            ensure!(self.answers.read_line(&mut line)? > 0, "the server closed the connection");
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if let Some((name, value)) = text.split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse()?,
                    "location" => location = Some(value.to_owned()),
                    _ => {}
                }
            } else if status == 0 {
                status = text.split(' ').nth(1).context("no status")?.parse()?;
            }
        }
        std::io::copy(&mut self.answers.by_ref().take(length), &mut std::io::sink())?;
        Ok((status, location))
    }
}
