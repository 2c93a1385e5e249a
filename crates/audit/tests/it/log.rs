//! The log, from hashes to witnesses.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

mod crash;
mod damage;
mod foreign;
mod formats;
mod mutations;
mod notes;
mod sample;
mod trees;
mod witnesses;

use boltseal_audit::log::{Log, Memory, Reader, Signer, Storage, verify};

/// Whose log it is in all tests.
const ORIGIN: &str = "boltseal.example/audit";

/// The bytes of an entry, different for every number.
fn entry(number: u64) -> Vec<u8> {
    format!("#{number}").into_bytes()
}

/// A log of as many entries as the batches have together.
fn log(batches: &[u64]) -> Log<Memory> {
    let mut log = Log::open(Memory::default(), Signer::generate(ORIGIN).unwrap()).unwrap();
    for &batch in batches {
        let entries: Vec<Vec<u8>> = (log.size()..log.size() + batch).map(entry).collect();
        log.append(&entries).unwrap();
    }
    log
}

/// The files of a log.
fn files(log: &Log<Memory>) -> Memory {
    Memory::clone(log.storage())
}

/// The number of the first bad entry, or that all is well.
fn check<S: Storage>(reader: &Reader<S>) -> Result<u64, String> {
    let verified =
        verify(reader, None, &mut |_| ()).map_err(|broken| format!("{:?}: {broken}", broken.index()))?;
    Ok(verified.checkpoint.checkpoint().size)
}
