//! The audit log: durable appends in batches, proofs out of a log of ten million entries, verification of all of it.
//!
//! The large log is written without waiting for the disk, because only reading it is measured; appends are measured on
//! the temporary folder's disk with everything that makes them durable.

use std::{fs, io, path::PathBuf, time::Instant};

use anyhow::{Context as _, Result, ensure};
use boltseal_audit::log::{Folder, Hash, Log, Proof, Reader, Signer, Storage, tree, verify};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};

use crate::figures::Figures;

const ORIGIN: &str = "bench.example/audit";
/// Bytes of an entry as roles write them.
const ENTRY: usize = 600;
/// Entries of the large log, unless the argument says another number.
const LARGE: u64 = 10_000_000;
/// Entries that the large log grows by at a time.
const STEP: u64 = 100_000;

pub fn run(arguments: &[String]) -> Result<()> {
    let size = arguments.first().map_or(Ok(LARGE), |size| size.parse()).context("ENTRIES is a number")?;
    ensure!(size > 0, "a log without entries has no proofs");
    for (batch, rounds) in [(64, 100), (256, 60), (1_000, 30), (4_000, 10)] {
        append(batch, rounds)?;
    }
    large(size)
}

/// Appends batches to a new log; each is on disk, under a signed checkpoint, before the next.
fn append(batch: usize, rounds: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut log = Log::open(Folder::open(&folder.path().join("audit"))?, Signer::generate(ORIGIN)?)?;
    let (mut rate, mut latency) = (Figures::default(), Figures::default());
    for round in 0..rounds {
        let entry = |number: usize| format!("{:0ENTRY$}", round * batch + number).into_bytes();
        let entries: Vec<Vec<u8>> = (0..batch).map(entry).collect();
        let began = Instant::now();
        log.append(&entries)?;
        let seconds = began.elapsed().as_secs_f64();
        rate.push(batch as f64 / seconds);
        latency.push(seconds * 1e3);
    }
    rate.print(&format!("append, durable, {batch} of {ENTRY} B (bar 20,000)"), "/s");
    latency.print("… until the checkpoint is on disk", "ms");
    let reader = log.reader();
    let cpu = cpu()?;
    verify(&reader, None, &mut |_| ())?;
    let rate = log.size() as f64 / (self::cpu()? - cpu) / 1e6;
    println!("{:44} {rate:>10.2} M/s", "… verified, a second of CPU");
    Ok(())
}

fn large(size: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let began = Instant::now();
    let unsynced = Unsynced { root: folder.path().to_owned() };
    let mut log = Log::open(unsynced, Signer::generate(ORIGIN)?)?;
    while log.size() < size {
        let next = log.size();
        let entries: Vec<[u8; 8]> = (next..size.min(next + STEP)).map(u64::to_be_bytes).collect();
        log.append(&entries)?;
    }
    println!(
        "{size} entries of 8 B written, not waiting for the disk, in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    let reader = Reader::new(Folder::open(folder.path())?, log.signer().verifier().clone());
    let (checkpoint, kept) = (reader.checkpoint()?, log.signer().to_pkcs8()?);
    drop(log);
    let (mut path, mut file, mut grown, mut opened) =
        (Figures::default(), Figures::default(), Figures::default(), Figures::default());
    for round in 0..300_u64 {
        // All over the log, so that few tiles are asked for twice.
        let index = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
        let began = Instant::now();
        let proof = reader.inclusion(index, size)?;
        path.push(began.elapsed().as_secs_f64() * 1e3);
        let leaf = Hash::leaf(&index.to_be_bytes());
        tree::verify_inclusion(index, size, &leaf, &proof, &checkpoint.checkpoint().root)?;
        let began = Instant::now();
        let text = Proof::make(&reader, index)?.to_string();
        file.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(text.len() < 4_096, "a proof of {} bytes", text.len());
        let began = Instant::now();
        reader.consistency(index.max(1), size)?;
        grown.push(began.elapsed().as_secs_f64() * 1e3);
        if round % 10 == 0 {
            let signer = Signer::from_pkcs8(ORIGIN, &kept)?;
            let began = Instant::now();
            Log::open(Folder::open(folder.path())?, signer)?;
            opened.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    path.print(&format!("inclusion in {size} entries (bar 2)"), "ms");
    file.print("… as a checked proof file", "ms");
    grown.print("consistency with an older size", "ms");
    opened.print("open, right edge checked", "ms");
    let mut rate = Figures::default();
    for _ in 0..3 {
        let before = cpu()?;
        verify(&reader, None, &mut |_| ())?;
        rate.push(size as f64 / (cpu()? - before) / 1e6);
    }
    rate.print("verification, a second of CPU (bar 1)", "M/s");
    Ok(())
}

/// Seconds of CPU that this process has used.
fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

/// A folder that is not waited for.
struct Unsynced {
    root: PathBuf,
}

impl Storage for Unsynced {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.root.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            result => result.map(Some),
        }
    }
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.root.join(path);
        fs::create_dir_all(place.parent().unwrap_or(&self.root))?;
        fs::write(place, bytes)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.root.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}
