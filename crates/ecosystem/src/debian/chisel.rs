//! The manifest of images that chisel cut out of packages: lines of JSON in a zstd frame
//! (<https://documentation.ubuntu.com/chisel/>, "manifest").
//!
//! It names packages, but not the source they were built from, by which vendors publish advisories. So each file
//! leaves a gap.

use std::io::{BufRead as _, BufReader, Read as _};

use boltseal_model::{Catalog, Distro, Gap, GapKind, Package, Tree};
use serde::Deserialize;

use super::installed::Paragraph;
use crate::{Owners, catalog::not_parsed, origin, owner::Maker};

const MANIFEST: &str = "var/lib/chisel/manifest.wall";
/// Bytes of one manifest when inflated. The largest cuts have some thousand paths, less than a megabyte.
const MAX_INFLATED: u64 = 32 << 20;
/// Frames that want a larger window than zstd itself recommends to support (8 MiB) are refused.
const MAX_WINDOW_LOG: u32 = 23;

pub(super) fn is(path: &str) -> bool {
    path == MANIFEST
}

/// A line: what it is, and of what.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    jsonwall: Option<String>,
    kind: String,
    name: String,
    version: String,
    arch: String,
    path: String,
    slice: String,
}

/// Calls `found` with every line.
fn lines(content: &[u8], found: &mut dyn FnMut(Line)) -> Result<(), String> {
    let mut decoder = zstd::Decoder::new(content).map_err(|error| error.to_string())?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(|error| error.to_string())?;
    let mut reader = BufReader::new(decoder.take(MAX_INFLATED));
    let mut text = String::new();
    let mut number = 0;
    while reader.read_line(&mut text).map_err(|error| error.to_string())? > 0 {
        number += 1;
        let line: Line = serde_json::from_str(&text).map_err(|error| format!("line {number}: {error}"))?;
        if number == 1 && line.jsonwall.is_none() {
            return Err("it does not start as a manifest does".to_owned());
        }
        found(line);
        text.clear();
    }
    match (number, reader.into_inner().limit()) {
        (0, _) => Err("it is empty".to_owned()),
        (_, 0) => Err(format!("it is larger than {MAX_INFLATED} bytes")),
        _ => Ok(()),
    }
}

pub(super) fn catalog(tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
    let Some(file) = tree.files.get(MANIFEST) else { return };
    let layer = origin::layer(tree, file.layer);
    let before = out.packages.len();
    let mut problem = None;
    let read = lines(&file.content, &mut |line| {
        if line.kind != "package" {
            return;
        }
        let Line { name, version, arch, .. } = &line;
        match Paragraph::of(name, version, arch).checked() {
            Ok(paragraph) => {
                let package = paragraph.package(MANIFEST, distro);
                out.packages.push(Package { layer: layer.clone(), ..package });
            }
            Err(why) => problem = problem.or(Some(why)),
        }
    });
    if let Some(why) = read.err().or(problem.map(str::to_owned)) {
        out.gaps.push(not_parsed("debian", MANIFEST, why));
    }
    if out.packages.len() > before {
        out.gaps.push(Gap::new(
            GapKind::FeedMissing,
            MANIFEST,
            "chisel does not record which source a package was built from, so advisories about sources of another \
             name are missing from this report: keep var/lib/dpkg/status in the image, or judge the full packages",
        ));
    }
}

pub(super) fn owners(tree: &Tree, out: &mut Owners) {
    let Some(file) = tree.files.get(MANIFEST) else { return };
    let mut last: Option<(String, usize)> = None;
    // What cannot be read is a gap of the catalog already.
    let _ = lines(&file.content, &mut |line| {
        // A slice is `package_slice`; names of packages hold no underscore. Lines come sorted by it.
        let Some((name, _)) = line.slice.split_once('_').filter(|_| line.kind == "content") else { return };
        let owner = match &last {
            Some((known, owner)) if known == name => *owner,
            _ => out.owner(name, Maker::Distribution),
        };
        out.owns(owner, &line.path);
        last = Some((name.to_owned(), owner));
    });
}
