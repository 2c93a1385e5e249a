//! Which of 10,000 images and 1,000 containers have something, and who uses it: from the question to the answer, which also
//! has to be within 100 ms.
//!
//! Images are made up: 300 packages each out of 20,000, the more common ones in nearly all of them, 150 findings out of
//! 60,000; of those that run, 600 files that can be executed.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::Result;
use boltseal_inventory::{Container, File, How, Image, Inventory, example::finding};
use boltseal_model::{Digest, Package, Timestamp};

use crate::figures::Figures;

const IMAGES: usize = 10_000;
const CONTAINERS: usize = 1_000;
/// Images that run.
const IN_USE: usize = 200;
const PACKAGES: usize = 300;
const FINDINGS: usize = 150;
const FILES: usize = 600;
const RUNS: usize = 11;

pub fn run(_: &[String]) -> Result<()> {
    let before = crate::process::memory_of(std::process::id(), "VmRSS")?;
    let (inventory, took) = made();
    println!("{:44} {:>10.2} s", "10,000 images told", took.as_secs_f64());
    let after = crate::process::memory_of(std::process::id(), "VmRSS")?;
    println!("{:44} {:>10.1} MiB", "… and kept", after - before);
    let base = digest("layer", 0).to_string();
    for (name, asked) in [
        ("a vulnerability of all images", "CVE-2026-0"),
        ("a vulnerability of few", "CVE-2026-59999"),
        ("a package of all images", "package-0"),
        ("the base of all images", &base),
        ("a key of all images", "release"),
        ("what nobody has", "CVE-1999-1"),
    ] {
        let answer = inventory.find(asked);
        let what = format!("{name}: {} images, {} containers", answer.images.len(), answer.running.len());
        timed(|| drop(black_box(inventory.find(black_box(asked))))).print(&what, "ms");
    }
    timed(|| drop(black_box(inventory.running()))).print("every container and its findings", "ms");
    let mut changed = inventory;
    timed(|| image(1, |image| changed.put(image))).print("an image told anew", "ms");
    Ok(())
}

fn timed(mut once: impl FnMut()) -> Figures {
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        let began = Instant::now();
        once();
        figures.push(began.elapsed().as_secs_f64() * 1e3);
    }
    figures
}

/// And how long telling took, without making up what is told.
fn made() -> (Inventory, Duration) {
    let mut inventory = Inventory::default();
    let mut took = Duration::ZERO;
    for at in 0..IMAGES {
        image(at, |image| {
            let began = Instant::now();
            inventory.put(image);
            took += began.elapsed();
        });
    }
    for at in 0..CONTAINERS {
        let id = format!("container-{at}");
        inventory.start(Container {
            id: id.clone(),
            name: format!("group-{}/{at}", at % 300),
            node: format!("node-{}", at % 20),
            image: digest("image", at % IN_USE),
            since: Timestamp::UNIX_EPOCH,
            is_watched: true,
        });
        for file in 0..60 {
            let how = if file % 4 == 0 { How::Executed } else { How::Loaded };
            inventory.saw(&id, &format!("/usr/lib/file-{}", (file * 7 + at) % FILES), how);
        }
    }
    (inventory, took)
}

fn digest(of: &str, number: usize) -> Digest {
    Digest::of(format!("{of} {number}").as_bytes())
}

/// The place of one of `all` things, by a number; the first half of them the same in all images.
fn spread(image: usize, at: usize, of: usize, all: usize) -> usize {
    if at < of / 2 { at } else { (image * 7919 + at * 104_729) % all }
}

fn image(at: usize, tell: impl FnOnce(&Image<'_>)) {
    let packages: Vec<Package> = (0..PACKAGES)
        .map(|package| {
            let number = spread(at, package, PACKAGES, 20_000);
            let (name, version) = (format!("package-{number}"), format!("1.{}", number % 9));
            Package { purl: format!("pkg:deb/debian/{name}@{version}"), name, version, ..Package::default() }
        })
        .collect();
    let findings: Vec<_> = (0..FINDINGS)
        .map(|number| {
            finding(
                &format!("CVE-2026-{}", spread(at, number, FINDINGS, 60_000)),
                &packages[number % PACKAGES],
            )
        })
        .collect();
    let files: Vec<File> = (0..if at < IN_USE { FILES } else { 0 })
        .map(|file| File {
            path: format!("usr/lib/file-{file}"),
            sha256: digest("file", spread(at, file, FILES, 100_000)),
            package: Some(file % PACKAGES),
        })
        .collect();
    tell(&Image {
        digest: &digest("image", at),
        names: &[format!("team-{}/app-{at}:1", at % 50)],
        layers: &[digest("layer", 0), digest("layer", at + 1)],
        packages: &packages,
        findings: &findings,
        keys: &["release".to_owned()],
        files: (at < IN_USE).then_some(&files),
        is_complete: true,
    });
}
