//! Opens an image and says what is in it: `cargo run -p boltseal-image --release --example peek -- TARGET [PATH]`.
//!
//! Keeps package databases whole and counts executables, as a scan does; used to measure reading alone.
#![expect(clippy::print_stdout, reason = "an example talks")]

use boltseal_image::{Error, Options, open};
use boltseal_model::{FileMeta, Selector, Want};

struct Databases;

impl Selector for Databases {
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        let database = path.starts_with("var/lib/dpkg/") || path.starts_with("lib/apk/db/");
        if database || path.ends_with("os-release") {
            Want::Whole
        } else if meta.mode & 0o111 != 0 || path.contains(".so") {
            Want::Distilled
        } else {
            Want::Skip
        }
    }

    fn distill(&self, _: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(bytes.len().is_multiple_of(97).then(|| b"one in a hundred".to_vec()))
    }
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().unwrap_or_else(|| ".".to_owned());
    let image = open(&target, &Databases, &Options::default())?;
    println!("{:#?}", image.subject);
    let tree = &image.tree;
    println!("{} layers, {} entries, {} bytes", tree.layers.len(), tree.entries, tree.bytes);
    println!("{} files kept, {} links, {} gaps", tree.files.len(), tree.links.len(), tree.gaps.len());
    for gap in &tree.gaps {
        println!("gap: {}: {}", gap.subject, gap.detail);
    }
    if let Some(path) = arguments.next() {
        println!("{}", String::from_utf8_lossy(tree.content(&path).unwrap_or_default()));
    }
    Ok(())
}
