//! Lists of a registry that has 100,000 repositories.
//!
//! Ours is filled by pushes. The peer keeps its catalog in the file system and finds it by walking there, so its folders
//! are made directly, with no more in them than its lists look at.

use std::{fs, path::Path};

use anyhow::Result;
use boltseal_model::Digest;

use super::{
    Options,
    connection::{Connection, Request},
    measure,
    subject::{Programs, Subject, Which},
    table::{Figure, Sample, Table},
    transfers::{drive, get},
};
use crate::figures::Figures;

const REPOSITORIES: usize = 100_000;
const QUICK: usize = 5_000;
const TAGS: usize = 1_000;
/// Pushes at the same time while ours is filled.
const PUSHERS: usize = 64;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An index of nothing needs no blob, so a repository is one request.
const EMPTY: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// A list that is asked for.
type List = (&'static str, [usize; 2], fn(&mut Connection<'_>, usize) -> Result<()>);

const LISTS: &[List] = &[
    ("first 100", [500, 20], |connection, _| get(connection, "/v2/_catalog?n=100")),
    ("100 in the middle", [500, 20], |connection, count| {
        get(connection, &format!("/v2/_catalog?n=100&last={}", name(count / 2)))
    }),
    ("everything in pages of 1,000", [3, 1], |connection, _| {
        let mut page = Some("/v2/_catalog?n=1000".to_owned());
        while let Some(path) = page {
            page = connection.expect(200, Request::new("GET", &path))?.next;
        }
        Ok(())
    }),
    ("1,000 tags of one of them", [500, 20], |connection, _| {
        get(connection, &format!("/v2/{}/tags/list", name(0)))
    }),
];

/// Fills both and asks both.
pub fn run(programs: &Programs, options: &Options, table: &mut Table) -> Result<()> {
    let wanted = |list: &str| options.wants(&title(list));
    if !LISTS.iter().any(|(list, ..)| wanted(list)) {
        return Ok(());
    }
    let count = if options.quick { QUICK } else { REPOSITORIES };
    let mut subjects = Vec::new();
    for which in programs.all() {
        let subject = programs.start_on(which, |data| match which {
            Which::Ours => Ok(()),
            Which::Peer => lay_out(data, count),
        })?;
        if which == Which::Ours {
            fill(&subject, count)?;
        }
        subject.rest()?;
        subjects.push((which, subject));
    }
    for (list, requests, ask) in LISTS.iter().filter(|(list, ..)| wanted(list)) {
        let requests = requests[usize::from(options.quick)];
        let mut samples: [Vec<Sample>; 2] = Default::default();
        for round in 0..=options.rounds {
            for (which, subject) in &subjects {
                let sample = measure(subject, 2, requests, &|connection, _| ask(connection, count))?;
                // The first time fills caches.
                if round > 0 {
                    samples[*which as usize].push(sample);
                }
            }
        }
        let [ours, peer] = samples;
        let name = format!("{} ({count} repositories)", title(list));
        table.add(&name, &ours, &peer, &[(Figure::Peak, 100.0)]);
    }
    let mut at_rest: [Figures; 2] = Default::default();
    for (which, subject) in &subjects {
        at_rest[*which as usize].push(subject.memory("VmRSS")?);
    }
    let [ours, peer] = at_rest;
    println!("\nafter them");
    super::table::line("memory at rest, MiB", false, &ours, &peer, None);
    Ok(())
}

fn title(list: &str) -> String {
    format!("lists: {list}")
}

fn name(number: usize) -> String {
    format!("team-{:03}/app-{number:06}", number % 500)
}

fn fill(subject: &Subject, count: usize) -> Result<()> {
    let began = std::time::Instant::now();
    let put = |connection: &mut Connection<'_>, path: &str| {
        let request = Request::new("PUT", path).headers(&[("Content-Type", INDEX)]).body(&[EMPTY]);
        connection.expect(201, request).map(drop)
    };
    drive(subject, PUSHERS, count, None, &|connection, number| {
        put(connection, &format!("/v2/{}/manifests/latest", name(number)))
    })?;
    drive(subject, PUSHERS, TAGS - 1, None, &|connection, number| {
        put(connection, &format!("/v2/{}/manifests/v{number}", name(0)))
    })?;
    println!(
        "\nfilled with {count} repositories by as many pushes in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The folders of the peer's file system storage, version 2.
fn lay_out(data: &Path, count: usize) -> Result<()> {
    let repositories = data.join("docker/registry/v2/repositories");
    for number in 0..count {
        fs::create_dir_all(repositories.join(name(number)).join("_layers"))?;
    }
    let tags = repositories.join(name(0)).join("_manifests/tags");
    for tag in std::iter::once("latest".to_owned()).chain((0..TAGS - 1).map(|n| format!("v{n}"))) {
        let current = tags.join(tag).join("current");
        fs::create_dir_all(&current)?;
        fs::write(current.join("link"), Digest::of(EMPTY).to_string())?;
    }
    Ok(())
}
