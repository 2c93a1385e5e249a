//! Layers unpacked into folders, beside `tar x` of the same bytes, and roots of containers mounted of them.
//!
//! `unpack [oci:DIR]`; without an image, a Debian bookworm is made with mmdebstrap. Both programs are processes of their own and
//! begin with an empty folder. Ours checks two digests, hashes what can be executed, and ends when all is on the disk; `tar`
//! does none of that, so a line has it followed by `sync -f` as well. MB/s are of the archive, uncompressed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow};
use boltseal_image::{Layers, Options, Unpacked};
use boltseal_runtime::{
    plan::Users,
    root::{Layer, Root, Shift, Stack, Target},
};

use crate::{
    figures::{Figures, print_ratio},
    process::{Usage, measure},
    scan::{debian, images::Layout},
};

/// The hidden first argument of the process that unpacks.
pub const ONCE: &str = "__unpack";
const RUNS: usize = 5;
const ROOTS: usize = 20;

pub fn run(arguments: &[String]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let image = arguments.first().cloned().map_or_else(|| debian(folder.path()), Ok)?;
    let program = std::env::current_exe()?.display().to_string();
    let store = folder.path().join("store");
    let to = store.to_str().context("the temporary folder has an odd name")?;
    let ours = series("unpack", &store, || measure(&[&program, ONCE, &image, to], &[0]))?;
    let unpacked = Layers::open(&store)?.unpack(&image, &Options::default())?.1;
    let bytes: u64 = unpacked.iter().map(|layer| layer.index.bytes).sum();
    let executables: usize = unpacked.iter().map(|layer| layer.index.executables.len()).sum();
    let megabytes = bytes as f64 / 1e6;
    println!("  {megabytes:.0} MB, {executables} executables");
    speed("unpack", megabytes, &ours);
    let blobs = blobs(&image)?;
    let shell = "mkdir \"$0\"; for blob; do tar xf \"$blob\" -C \"$0\" || exit 1; done";
    let target = folder.path().join("tar");
    let tar = |script: &str| -> Result<Series> {
        let to = target.to_str().context("the temporary folder has an odd name")?;
        let mut command = vec!["sh", "-c", script, to];
        command.extend(blobs.iter().map(String::as_str));
        series("tar x", &target, || measure(&command, &[0]))
    };
    let theirs = tar(shell)?;
    speed("tar x", megabytes, &theirs);
    print_ratio("tar x / ours, CPU", &theirs.cpu, &ours.cpu);
    print_ratio("tar x / ours, wall", &theirs.wall, &ours.wall);
    let synced = tar(&format!("{shell}; sync -f \"$0\""))?;
    print_ratio("tar x and sync / ours, wall", &synced.wall, &ours.wall);
    roots(folder.path(), &unpacked)
}

/// The process that is measured.
pub fn once(arguments: &[String]) -> Result<()> {
    let [image, store] = arguments else { return Err(anyhow!("{ONCE} IMAGE FOLDER")) };
    Layers::open(Path::new(store))?.unpack(image, &Options::default())?;
    Ok(())
}

struct Series {
    cpu: Figures,
    wall: Figures,
}

fn series(name: &str, folder: &Path, mut once: impl FnMut() -> Result<Usage>) -> Result<Series> {
    let mut all = Series { cpu: Figures::default(), wall: Figures::default() };
    let mut memory = Figures::default();
    for _ in 0..RUNS {
        // Put away, not removed: for half a minute, ext4 looks again and again at every number of a file that is gone.
        if folder.exists() {
            let away =
                (0..).map(|number| folder.with_extension(number.to_string())).find(|path| !path.exists());
            fs::rename(folder, away.context("a folder without a name")?)?;
        }
        // What others have left to write is not our time.
        rustix::fs::sync();
        let usage = once()?;
        all.cpu.push(usage.cpu);
        all.wall.push(usage.wall);
        memory.push(usage.memory);
    }
    all.cpu.print(&format!("{name}, CPU"), "ms");
    all.wall.print(&format!("{name}, wall"), "ms");
    memory.print(&format!("{name}, peak memory"), "MiB");
    Ok(all)
}

fn speed(name: &str, megabytes: f64, series: &Series) {
    for (what, figures) in [("CPU", &series.cpu), ("wall", &series.wall)] {
        println!("{:44} {:>10.0} MB/s", format!("{name}, {what}"), megabytes / figures.median() * 1e3);
    }
}

/// The stored layers of an image in a layout.
fn blobs(image: &str) -> Result<Vec<String>> {
    let layout = Layout::at(image)?;
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(layout.blob(&layout.manifest))?)?;
    let layers = manifest["layers"].as_array().context("a manifest without layers")?;
    layers
        .iter()
        .map(|layer| {
            Ok(layout.blob(&layer["digest"].as_str().context("a digest")?.parse()?).display().to_string())
        })
        .collect()
}

/// What a container waits for: its root, mounted, of the layers of the image, and of as many as Docker stacks.
fn roots(folder: &Path, unpacked: &[Unpacked]) -> Result<()> {
    let place = folder.join("place");
    fs::create_dir(&place)?;
    let layers: Vec<Layer<'_>> = unpacked
        .iter()
        .map(|one| Layer { path: &one.path, implied: &one.index.implied, hides_all: one.index.hides_all })
        .collect();
    root(&place, &layers, &format!("root of {} layers", layers.len()))?;
    let folders: Vec<PathBuf> = (0..127).map(|at| folder.join(at.to_string())).collect();
    for folder in &folders {
        fs::create_dir(folder)?;
    }
    let many: Vec<Layer<'_>> =
        folders.iter().map(|path| Layer { path, implied: &[], hides_all: false }).collect();
    root(&place, &many, "root of 127 layers")
}

fn root(place: &Path, layers: &[Layer<'_>], name: &str) -> Result<()> {
    let targets = ["/proc", "/sys", "/dev", "/tmp"].map(Target::folder);
    let users = Users { first: 1_000_000, count: 65_536 };
    let stack = Stack { layers, users, targets: &targets, place, shift: Some(Shift::Mapped) };
    let mut figures = Figures::default();
    for _ in 0..ROOTS {
        // Mounts are a thread's own, and gone with it.
        let took = std::thread::scope(|scope| {
            let mounted = scope.spawn(|| -> Result<f64> {
                let mounts = boltseal_sys::private_mounts()?;
                let began = Instant::now();
                Root::assemble(&mounts, &stack)?;
                Ok(began.elapsed().as_secs_f64() * 1e3)
            });
            mounted.join().map_err(|_| anyhow!("mounting panicked"))
        })?;
        figures.push(took?);
    }
    figures.print(name, "ms");
    Ok(())
}
