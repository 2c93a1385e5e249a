//! Where the log is: in a data folder, or at a server.

use std::path::Path;

use boltseal_api::{
    audit::Status,
    client::{Client, Server},
};
use boltseal_audit::log::{Error, Reader, Verifier};

use super::{folder::LogFolder, web::Web};
use crate::{cli::Global, exit::Failure, given, reach::Reach};

/// Where the log is.
pub enum Place {
    /// In a data folder of this machine.
    Folder(LogFolder),
    /// At a server.
    Server(Box<LogServer>),
}

/// The log of a server, as whoever logged in.
pub struct LogServer {
    /// To ask with.
    pub client: Client,
    server: Server,
}

impl Place {
    /// The log that the arguments mean; see the help of `boltseal audit`. `key` and `anchors` are for a folder.
    pub fn of(
        reach: &Reach,
        global: &Global,
        key: Option<&Verifier>,
        anchors: Option<&Path>,
    ) -> Result<Self, Failure> {
        if reach.is_named() || (global.data.is_none() && reach.is_known()?) {
            return Ok(Self::Server(Box::new(LogServer::at(reach.server(global)?)?)));
        }
        let data = given::data(global)?;
        let anchors = anchors.map_or_else(|| given::state(&data), Path::to_owned);
        LogFolder::open(&data, &anchors, key.cloned()).map(Self::Folder)
    }
}

impl LogServer {
    /// That of `server`.
    pub fn at(server: Server) -> Result<Self, Failure> {
        Ok(Self { client: Client::new(&server)?, server })
    }

    /// How the log stands, as the server says.
    pub fn status(&self) -> Result<Status, Failure> {
        Ok(self.client.get("/api/v1/audit/status")?)
    }

    /// The key of the log, as the server says.
    pub fn key(&self) -> Result<Verifier, Failure> {
        self.status()?.key.parse().map_err(|wrong| {
            Failure::undecided(format_args!("the key that {} names: {wrong}", self.client.address()))
        })
    }

    /// Reads the log's own files, and checks them by this key, or by that of the server.
    pub fn reader(&self, key: Option<&Verifier>) -> Result<Reader<Web>, Failure> {
        let Server { address, token, ca } = self.server.clone();
        let key = key.map_or_else(|| self.key(), |key| Ok(key.clone()))?;
        Ok(Reader::new(Web::new(&format!("{address}/audit"), token, ca)?, key))
    }
}

/// A log that cannot be read is undecided, one that is not what was signed is refused.
pub fn failed(error: &Error) -> Failure {
    let what = format!("audit log: {error}");
    match error {
        Error::NoEntry { .. } => Failure::usage(what).next("`boltseal audit log` lists the entries"),
        Error::Storage { .. } => Failure::undecided(what),
        _ => Failure::denied(what).next("`boltseal audit verify` names the first bad entry"),
    }
}

/// A key as an argument: its text, or a file with it.
pub fn key(text: &str) -> Result<Verifier, String> {
    let in_file = || std::fs::read_to_string(text).ok().and_then(|text| text.trim().parse().ok());
    text.parse::<Verifier>().or_else(|wrong| in_file().ok_or_else(|| wrong.to_string()))
}
