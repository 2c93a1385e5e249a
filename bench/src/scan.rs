//! A whole scan as a user runs it: a process that opens an image and prints a report.
//!
//! `scan [oci:DIR]`; without an image, a Debian bookworm is made with mmdebstrap and packed by skopeo, which takes a
//! minute. *Cold* runs have an empty cache folder, *cached* runs find the catalog of the same manifest in it.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{
    figures::{Figures, print_ratio},
    process::{Usage, boltseal, measure, on_path},
};

const RUNS: usize = 7;

pub fn run(arguments: &[String]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let image = match arguments.first() {
        Some(image) => image.clone(),
        None => debian(folder.path())?,
    };
    let program = boltseal()?;
    let data = folder.path().join("data");
    let data = data.to_str().context("the temporary folder has an odd name")?;
    import_feeds(&program, data)?;

    let scan = [&program, "scan", &image, "--data", data, "--format", "json"].map(|s: &str| s);
    let cold = series("cold scan", || {
        let _ = std::fs::remove_dir_all(format!("{data}/cache"));
        measure(&scan, &[0, 1, 3])
    })?;
    series("cached scan", || measure(&scan, &[0, 1, 3]))?;
    if let Some(syft) = on_path("syft") {
        let theirs =
            series("syft", || measure(&[&syft, "scan", &image, "-o", "json"].map(|s: &str| s), &[0]))?;
        print_ratio("syft CPU / ours", &theirs.cpu, &cold.cpu);
        print_ratio("syft wall / ours", &theirs.wall, &cold.wall);
        print_ratio("syft memory / ours", &theirs.memory, &cold.memory);
    } else {
        println!("skipped: no syft on PATH to compare with");
    }
    Ok(())
}

struct Series {
    cpu: Figures,
    wall: Figures,
    memory: Figures,
}

fn series(name: &str, mut once: impl FnMut() -> Result<Usage>) -> Result<Series> {
    let mut all = Series { cpu: Figures::default(), wall: Figures::default(), memory: Figures::default() };
    once()?;
    for _ in 0..RUNS {
        let usage = once()?;
        all.cpu.push(usage.cpu);
        all.wall.push(usage.wall);
        all.memory.push(usage.memory);
    }
    all.cpu.print(&format!("{name}, CPU"), "ms");
    all.wall.print(&format!("{name}, wall"), "ms");
    all.memory.print(&format!("{name}, peak memory"), "MiB");
    Ok(all)
}

fn import_feeds(program: &str, data: &str) -> Result<()> {
    let Some(feeds) = boltseal_testkit::shared("data/vulns/native/debian") else { return Ok(()) };
    let tracker = feeds.join("tracker-bookworm-from-changelogs.json.zst");
    let status = Command::new(program).args(["feeds", "import", "--data", data]).arg(tracker).status()?;
    ensure!(status.success(), "feeds import failed");
    Ok(())
}

fn debian(folder: &std::path::Path) -> Result<String> {
    let shell = r#"set -e; cd "$1"
        mmdebstrap --quiet --variant=standard bookworm root.tar
        digest=$(sha256sum root.tar | cut -d' ' -f1)
        config='{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:'$digest'"]}}'
        mkdir -p a; mv root.tar a/layer.tar; printf %s "$config" > a/config.json
        printf '[{"Config":"config.json","RepoTags":["debian:bench"],"Layers":["layer.tar"]}]' > a/manifest.json
        tar -C a -cf archive.tar manifest.json config.json layer.tar
        skopeo --insecure-policy copy --quiet docker-archive:archive.tar oci:image:bench
        rm -r a archive.tar"#;
    println!("making a Debian image with mmdebstrap, about a minute");
    let status = Command::new("sh").args(["-c", shell, "sh"]).arg(folder).status()?;
    ensure!(status.success(), "mmdebstrap or skopeo failed");
    Ok(format!("oci:{}:bench", folder.join("image").display()))
}
