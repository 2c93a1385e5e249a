//! A whole scan as a user runs it: a process that opens an image and prints a report.
//!
//! `scan [--binary FILE] [oci:DIR]`; without an image, a Debian bookworm is made with mmdebstrap and packed by skopeo, which takes a
//! minute. *Cold* runs have an empty cache folder, *cached* runs find the catalog of the same manifest in it, those on a
//! *known base* what its layers gave. The physical limit is what any scanner pays that reads a whole image. *Lazy* runs
//! read the image by its table of contents from a registry here, beside runs that read all of it from there.

pub mod images;
mod judged;
pub mod limit;
mod served;

use std::{collections::HashSet, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use boltseal_testkit::image::{Layer, estargz, zstd_chunked};

use self::{images::Layout, served::Served};
use crate::{
    figures::{Figures, print_ratio},
    process::{Usage, boltseal, measure, on_path},
};

const RUNS: usize = 7;
/// What writers of tables cut files into.
const PIECE: usize = 4 << 20;

pub fn run(arguments: &[String]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (binary, rest) = match arguments {
        [word, binary, rest @ ..] if word == "--binary" => (Some(binary.clone()), rest),
        rest => (None, rest),
    };
    let image = match rest.first() {
        Some(image) => image.clone(),
        None => debian(folder.path())?,
    };
    let program = binary.map_or_else(boltseal, Ok)?;
    let data = folder.path().join("data");
    let data = data.to_str().context("the temporary folder has an odd name")?;
    import_feeds(&program, data)?;

    let scan = [&program, "scan", &image, "--data", data, "--format", "json"].map(|s: &str| s);
    let cold = series("cold scan", || {
        let _ = std::fs::remove_dir_all(format!("{data}/cache"));
        measure(&scan, &[0, 1, 3])
    })?;
    series("cached scan", || measure(&scan, &[0, 1, 3]))?;
    if let Some(limit) = limit::run(&Layout::at(&image)?)? {
        print_ratio("cold scan / physical limit, CPU", &cold.cpu, &limit.cpu);
        print_ratio("cold scan / physical limit, wall", &cold.wall, &limit.wall);
    }
    let base = Layout::at(&image)?.copied(&folder.path().join("layout"))?;
    let application = base.with_application()?;
    known_base(&program, data, &base, &application, &cold)?;
    judged::run(&base, &application)?;
    lazy(&program, data, &base, folder.path())?;
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

/// An image of which only the top layer is new.
fn known_base(program: &str, data: &str, base: &Layout, application: &Layout, cold: &Series) -> Result<()> {
    let target = |image: &Layout| format!("oci:{}:@{}", image.folder.display(), image.manifest);
    // A layout lists one image; the other is named by its digest, which the list must have.
    let both = |image: &Layout| {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let size = fs::metadata(image.blob(&image.manifest)).map(|meta| meta.len());
        size.map(|size| serde_json::json!({ "mediaType": kind, "digest": image.manifest, "size": size }))
    };
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [both(base)?, both(application)?] });
    fs::write(base.folder.join("index.json"), serde_json::to_vec(&index)?)?;
    let (base, application) = (target(base), target(application));
    let scan = |image| [program, "scan", image, "--data", data, "--format", "json"];
    let cache = Path::new(data).join("cache");
    let _ = fs::remove_dir_all(&cache);
    measure(&scan(&base), &[0, 1, 3])?;
    let names = || -> Result<HashSet<_>> {
        Ok(fs::read_dir(&cache)?
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .map(|entry| entry.path())
            .collect())
    };
    let known = names()?;
    let series = series("scan on a known base", || {
        for new in names()?.difference(&known) {
            fs::remove_file(new)?;
        }
        measure(&scan(&application), &[0, 1, 3])
    })?;
    print_ratio("cold / on a known base, CPU", &cold.cpu, &series.cpu);
    let packed: u64 = known.iter().filter_map(|path| fs::metadata(path).ok()).map(|meta| meta.len()).sum();
    println!("  kept of the base: {:.1} MiB", packed as f64 / f64::from(1 << 20));
    Ok(())
}

/// Read from a registry by its table of contents, and whole.
fn lazy(program: &str, data: &str, base: &Layout, folder: &Path) -> Result<()> {
    let layer = Layer::new().raw(&base.archive()?);
    let forms = [
        ("estargz", estargz(&layer, PIECE, &|_| {})),
        ("zstd-chunked", zstd_chunked(&layer, PIECE, &|_| {})),
    ];
    for (name, stored) in forms {
        let served = Served::start(images::seekable(stored, &folder.join(name))?)?;
        let scan = [program, "scan", &served.target, "--data", data, "--format", "json", "--no-cache"];
        let whole = series(&format!("{name}, whole"), || measure(&scan, &[0, 1, 3]))?;
        served.sent();
        measure(&scan, &[0, 1, 3])?;
        let all = served.sent();
        let scan = [&scan[..], &["--lazy"]].concat();
        let lazy = series(&format!("{name}, lazy"), || measure(&scan, &[0, 1, 3]))?;
        served.sent();
        measure(&scan, &[0, 1, 3])?;
        let part = served.sent();
        print_ratio(&format!("{name}, whole / lazy, CPU"), &whole.cpu, &lazy.cpu);
        let share = part as f64 / all as f64 * 100.0;
        println!("  {name}: {part} of {all} bytes fetched, {share:.1} %");
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

pub fn debian(folder: &std::path::Path) -> Result<String> {
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
