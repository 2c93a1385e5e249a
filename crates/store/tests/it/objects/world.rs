//! Blobs and the facts that know where they are, as one server of several sees them.

use std::{path::Path, time::Duration};

use boltseal_model::{Algorithm, Digest, Hasher};
use boltseal_store::{Blobs, Error, Facts, Stored, Upload, Writer};
use tokio::runtime::Runtime;

use crate::databases::Database;

/// What a part of an upload has; see `blobs/objects/stream.rs`.
pub const PART: usize = 8 << 20;

/// One server.
pub struct World {
    pub blobs: Blobs,
    pub facts: Facts,
    pub runtime: Runtime,
}

impl World {
    /// Files for the facts; `address` for the blobs, or files too.
    pub fn open(folder: &Path, address: Option<&str>) -> Self {
        let runtime = Runtime::new().unwrap();
        let facts = runtime.block_on(Facts::open(folder)).unwrap();
        match address {
            None => Self { blobs: Blobs::open(folder).unwrap(), facts, runtime },
            Some(address) => Self::over(facts, runtime, address),
        }
    }

    fn over(facts: Facts, runtime: Runtime, address: &str) -> Self {
        let blobs = Blobs::connect(address, &facts, runtime.handle().clone()).unwrap();
        Self { blobs, facts, runtime }
    }

    /// Two servers of the same facts and blobs.
    pub fn pair(database: &Database, address: &str) -> (Self, Self) {
        let open = || {
            let runtime = Runtime::new().unwrap();
            (runtime.block_on(database.open()), runtime)
        };
        let (facts, runtime) = open();
        let one = Self::over(facts, runtime, address);
        let (facts, runtime) = open();
        let two = if address.starts_with("memory:") {
            // What this process keeps, it keeps once.
            Self { blobs: one.blobs.clone(), facts, runtime }
        } else {
            Self::over(facts, runtime, address)
        };
        (one, two)
    }

    /// Writes bytes in uneven pieces.
    pub fn writer(&self, bytes: &[u8], algorithm: Algorithm) -> Writer {
        let mut writer = self.blobs.writer(algorithm).unwrap();
        for piece in bytes.chunks(300_007) {
            writer.write(piece).unwrap();
        }
        writer
    }

    /// What the registry does with bytes that are stored. Gives the place that counts.
    pub fn add(&self, session: Option<&str>, stored: Stored) -> String {
        self.runtime.block_on(self.facts.finish_upload(session, "a", stored)).unwrap()
    }

    /// Stores a blob as a whole.
    pub fn push(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let stored = self.writer(bytes, Algorithm::Sha256).finish(&digest).unwrap();
        self.add(None, stored);
        digest
    }

    /// A chunk of a session, acknowledged.
    pub fn patch(&self, id: &str, bytes: &[u8]) {
        let mut upload = self.resume(id);
        for piece in bytes.chunks(1 << 20) {
            upload.write(piece).unwrap();
        }
        let saved = upload.save().unwrap();
        self.runtime.block_on(self.facts.save_upload(saved)).unwrap();
    }

    /// Checks a session out that somebody may be giving back.
    pub fn resume(&self, id: &str) -> Upload {
        let mut tries = 0;
        loop {
            match self.blobs.resume(id, "a") {
                Err(Error::Busy(_)) if tries < 500 => std::thread::sleep(Duration::from_millis(10)),
                other => return other.unwrap(),
            }
            tries += 1;
        }
    }

    /// Objects that are no blobs.
    pub fn leftovers(&self) -> u64 {
        self.runtime.block_on(self.facts.announced_objects()).unwrap()
    }

    /// Until what happens in the background has happened.
    pub fn settle(&self, wanted: u64) {
        for _ in 0..200 {
            self.blobs.expire_uploads(Duration::from_hours(1)).unwrap();
            if self.leftovers() == wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.leftovers(), wanted);
    }
}

/// Bytes that differ everywhere.
pub fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(length).collect()
}

pub fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}
