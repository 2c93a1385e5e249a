//! Facts, blobs and keys: in the data folder, or where other servers have them too.

use std::{path::PathBuf, time::Duration};

use boltseal_store::{Blobs, Facts, Lead};

use super::{Setup, Storage};
use crate::exit::Failure;

/// The name of the right to begin, in the facts: any number that nothing else uses.
const BEGINNING: i64 = 0x626f_6c74_6265_6701;
/// How often a server that starts asks whether another is done with its start.
const ASK: Duration = Duration::from_millis(200);

/// What was opened.
#[derive(Debug)]
pub struct Stores {
    /// The database.
    pub facts: Facts,
    /// The bytes.
    pub blobs: Blobs,
    /// Folder of keys.
    pub keys: PathBuf,
    /// Folder of certificates.
    pub certificates: PathBuf,
}

/// Opens what the setup names.
pub async fn open(setup: &Setup) -> Result<Stores, Failure> {
    match &setup.storage {
        Storage::Folder => Ok(Stores {
            facts: Facts::open(&setup.data).await.map_err(Failure::fault)?,
            blobs: Blobs::open(&setup.data).map_err(Failure::fault)?,
            keys: setup.data.join("keys"),
            certificates: setup.data.join("tls"),
        }),
        Storage::Shared { database, blobs, keys } => {
            let facts = Facts::connect(database).await.map_err(|wrong| {
                Failure::fault(wrong)
                    .next("check --database: the address, its password, and that the server runs")
            })?;
            let blobs =
                Blobs::connect(blobs, &facts, tokio::runtime::Handle::current()).map_err(|wrong| {
                    Failure::fault(wrong).next("check --blobs, and the credentials in the environment")
                })?;
            Ok(Stores { facts, blobs, keys: keys.clone(), certificates: keys.join("tls") })
        }
    }
}

/// Waits until no other server is at its start.
pub async fn alone(facts: &Facts) -> Result<Lead, Failure> {
    loop {
        if let Some(lead) = facts.lead(BEGINNING).await.map_err(Failure::fault)? {
            return Ok(lead);
        }
        tokio::time::sleep(ASK).await;
    }
}
