//! What a scan costs on many kinds of images: `corpus [FOLDER] [--only NAME] [--binary FILE]`.
//!
//! Images are made from Debian's packages and from the registries of Python, JavaScript, Java and Go, into FOLDER (or
//! `bench-corpus` in the temporary folder), where later runs find them again. A row a scanner: time, CPU, peak memory,
//! packages and findings. Syft, Trivy and Grype stand beside ours where they are on PATH; those two list packages
//! without their databases, so their findings are left open, while ours judges with the feeds of `../shared`.

mod images;
mod scanners;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{figures::Figures, process::measure};
use images::{ALL, Image};
use scanners::{Scanner, scanners};

/// Runs of each scanner on each image, after one that warms the page cache. Of ours the cache is empty each time.
const RUNS: usize = 3;

pub fn run(arguments: &[String]) -> Result<()> {
    let (mut folder, mut only, mut binary) = (std::env::temp_dir().join("bench-corpus"), None, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => only = Some(words.next().context("--only NAME")?.clone()),
            "--binary" => binary = Some(words.next().context("--binary FILE")?.clone()),
            word if word.starts_with('-') => bail!("`{word}`: corpus [FOLDER] [--only NAME] [--binary FILE]"),
            word => folder = PathBuf::from(word),
        }
    }
    std::fs::create_dir_all(&folder)?;
    let scanners = scanners(&folder, binary)?;
    println!(
        "{:34} {:9} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "image", "scanner", "CPU s", "wall s", "peak MiB", "packages", "findings"
    );
    let mut all: Vec<Totals> = scanners.iter().map(|_| Totals::default()).collect();
    for image in
        ALL.iter().filter(|image| only.as_ref().is_none_or(|only| image.name.contains(only.as_str())))
    {
        match images::make(image, &folder) {
            Ok(layout) => rows(image, &layout, &scanners, &mut all),
            Err(error) => println!("{:34} not made: {error:#}", image.name),
        }
    }
    for (scanner, totals) in scanners.iter().zip(&all).filter(|(_, totals)| totals.images > 0) {
        println!(
            "{:34} {:9} {:8.2} {:8.2}",
            format!("all {}", totals.images),
            scanner.name,
            totals.cpu,
            totals.wall
        );
    }
    Ok(())
}

/// Of the images that all scanners could read.
#[derive(Default)]
struct Totals {
    images: usize,
    cpu: f64,
    wall: f64,
}

fn rows(image: &Image, layout: &Path, scanners: &[Scanner], totals: &mut [Totals]) {
    let mut title = format!("{} ({} MB)", image.name, bytes(layout) / 1_000_000);
    let measured: Vec<Option<Row>> = scanners
        .iter()
        .map(|scanner| {
            let row = row(scanner, layout);
            match &row {
                Ok(row) => row.print(&title, scanner.name),
                Err(error) => println!("{title:34} {:9} {error:#}", scanner.name),
            }
            title.clear();
            row.ok()
        })
        .collect();
    if measured.iter().all(Option::is_some) {
        for (row, totals) in measured.iter().flatten().zip(totals) {
            totals.images += 1;
            totals.cpu += row.cpu.median() / 1e3;
            totals.wall += row.wall.median() / 1e3;
        }
    }
}

struct Row {
    cpu: Figures,
    wall: Figures,
    memory: Figures,
    packages: usize,
    findings: Option<usize>,
}

impl Row {
    fn print(&self, title: &str, scanner: &str) {
        let findings = self.findings.map_or_else(|| "—".to_owned(), |count| count.to_string());
        println!(
            "{title:34} {scanner:9} {:8.2} {:8.2} {:8.1} {:>9} {findings:>9}",
            self.cpu.median() / 1e3,
            self.wall.median() / 1e3,
            self.memory.median(),
            self.packages,
        );
    }
}

fn row(scanner: &Scanner, layout: &Path) -> Result<Row> {
    let command = scanner.command(layout);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let (packages, findings) = scanner.count(&command)?;
    let (mut cpu, mut wall, mut memory) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..RUNS {
        let usage = measure(&command, &[0, 1, 3])?;
        cpu.push(usage.cpu);
        wall.push(usage.wall);
        memory.push(usage.memory);
    }
    Ok(Row { cpu, wall, memory, packages, findings })
}

/// Of all files below `folder`.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
