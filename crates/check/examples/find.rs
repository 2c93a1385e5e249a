//! What is found in the texts of a folder, and how fast: `cargo run --release -p boltseal-check --example find -- DIR`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use std::{collections::BTreeMap, env, fs, path::PathBuf, time::Instant};

use boltseal_check::secret::{Confidence, Finder};

fn main() {
    let mut todo: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let mut files = Vec::new();
    while let Some(path) = todo.pop() {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                todo.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|e| e.path()));
            }
            Ok(meta) if meta.is_file() => files.extend(fs::read(&path).ok().map(|bytes| (path, bytes))),
            _ => {}
        }
    }
    files.retain(|(_, bytes)| !bytes.iter().take(8192).any(|byte| *byte == 0));
    let finder = Finder::new();
    let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut rules: BTreeMap<(Confidence, String), (usize, String)> = BTreeMap::new();
    let start = Instant::now();
    for (path, bytes) in &files {
        let mut hits = Vec::new();
        finder.find(&path.to_string_lossy(), bytes, &mut hits);
        for hit in hits {
            let example = format!("{}:{}", path.display(), hit.line);
            rules.entry((hit.confidence, hit.rule)).or_insert((0, example)).0 += 1;
        }
    }
    let (seconds, megabytes) = (start.elapsed().as_secs_f64(), size as f64 / 1e6);
    for ((confidence, rule), (number, example)) in rules {
        println!("{number:6} {confidence:?} {rule} {example}");
    }
    println!("{} files, {megabytes:.1} MB, {seconds:.2} s, {:.0} MB/s", files.len(), megabytes / seconds);
}
