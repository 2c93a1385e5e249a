//! What is seen in an image, and what looking costs: `cargo run --release -p boltseal-flow --example look -- TARGET`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "an example prints, and fails loudly")]

use std::{env, time::Instant};

use boltseal_ecosystem::Everything;
use boltseal_flow::look::{Looking, look};
use boltseal_image::{Options, open};

fn main() {
    let target = env::args().nth(1).unwrap();
    let options = Options::default();
    let start = Instant::now();
    let image = open(&target, &Everything, &options).unwrap();
    let catalog = boltseal_scan::catalog(&image.tree);
    println!("packages alone: {} in {:.2} s", catalog.packages.len(), start.elapsed().as_secs_f64());
    let start = Instant::now();
    let (_, catalog) = look(Looking::default(), |eyes| open(&target, eyes, &options)).unwrap();
    println!("everything: {} packages in {:.2} s", catalog.packages.len(), start.elapsed().as_secs_f64());
    println!(
        "{} leaks, {} executables of no package, {} misconfigurations",
        catalog.leaks.as_ref().map_or(0, Vec::len),
        catalog.unowned.len(),
        catalog.misconfigurations.len()
    );
    for leak in catalog.leaks.iter().flatten() {
        println!("  {} {} {} {:?}", leak.confidence.word(), leak.rule, leak.place, leak.package);
    }
    for file in &catalog.unowned {
        println!("  {} {}", file.path, file.digest.short());
    }
}
