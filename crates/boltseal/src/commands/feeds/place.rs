//! Where published feeds are, as people write it.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use boltseal_flow::feeds::{Artifact, Folder, Press, Shelf, ShelfError};
use boltseal_model::{Digest, Reference};
use boltseal_wire::client::{Client, Options};

use crate::{
    cli::Global,
    commands::image::place::{Connection, image},
    exit::Failure,
};

/// Bytes of a signed note; the format allows no more.
const MAX_NOTE: u64 = boltseal_audit::log::MAX_NOTE as u64;

/// Where feeds are, or shall be.
#[derive(Clone, Debug)]
pub enum Target {
    /// Plain files on a web server.
    Web(String),
    /// An artifact in a registry.
    Registry(String),
    /// A folder.
    Folder(PathBuf),
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix("oci://") {
            Some(rest) => Self::Registry(rest.to_owned()),
            None if text.starts_with("https://") || text.starts_with("http://") => Self::Web(text.to_owned()),
            None => Self::Folder(text.into()),
        })
    }
}

impl Target {
    /// To read from.
    pub fn shelf(&self, connection: &Connection, global: &Global) -> Result<Box<dyn Shelf>, Failure> {
        Ok(match self {
            Self::Web(url) => {
                let client = Client::new(&Options::default()).map_err(Failure::fault)?;
                Box::new(Web { client, url: url.trim_end_matches('/').to_owned() })
            }
            Self::Registry(reference) => Box::new(artifact(reference, connection, global)?),
            Self::Folder(path) => Box::new(Folder(path.clone())),
        })
    }

    /// To publish to.
    pub fn press(&self, connection: &Connection, global: &Global) -> Result<Box<dyn Press>, Failure> {
        match self {
            Self::Web(url) => Err(Failure::usage(format_args!("nothing can be published to {url}"))
                .next("publish to a folder, and let a web server serve it")),
            Self::Registry(reference) => Ok(Box::new(artifact(reference, connection, global)?)),
            Self::Folder(path) => {
                std::fs::create_dir_all(path)
                    .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", path.display())))?;
                Ok(Box::new(Folder(path.clone())))
            }
        }
    }
}

fn artifact(reference: &str, connection: &Connection, global: &Global) -> Result<Artifact, Failure> {
    let reference: Reference = image(reference)?;
    let repository = connection.repository(&reference, global)?;
    Ok(Artifact { repository, tag: reference.tag().unwrap_or("latest").to_owned() })
}

/// Plain files on a web server, in the layout of a folder.
struct Web {
    client: Client,
    url: String,
}

impl Web {
    fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, ShelfError> {
        let answer = self.client.get(&format!("{}/{path}", self.url))?.success()?;
        Ok(answer.bytes(limit)?)
    }
}

impl Shelf for Web {
    fn name(&self) -> String {
        self.url.clone()
    }

    fn latest(&self) -> Result<Vec<u8>, ShelfError> {
        self.get("latest", MAX_NOTE)
    }

    fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, ShelfError> {
        let hex = digest.hex();
        self.get(&format!("blobs/{}/{hex}", hex.get(..2).unwrap_or_default()), limit)
    }
}
