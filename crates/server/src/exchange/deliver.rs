//! Sending records to a sink, on a thread that may wait.

use std::{io::Write as _, ops::Range, path::PathBuf, time::Duration};

use crate::recorder::Place;
use boltseal_audit::{
    Record,
    export::{self, Format, Gap, Item},
    log::Reader,
};
use boltseal_identity::secret::Secret;
use boltseal_model::Timestamp;
use boltseal_wire::{
    client::{Client, Method, Options, Payload, Request},
    dial::{Target, dial},
};
use url::Url;

/// Bytes of a batch; receivers commonly take 1 to 5 MB.
const MAX_BATCH: usize = 1 << 20;
/// For a connection, and for any single read or write.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ports of syslog where the address names none: TCP as everybody uses it, TLS by RFC 5425.
const SYSLOG: u16 = 514;
const SYSLOG_TLS: u16 = 6514;

/// A sink, ready to be sent something.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) url: Url,
    pub(super) format: Format,
    pub(super) authorization: Option<Secret>,
    /// A PEM file with the authority of its certificate.
    pub(super) ca: Option<PathBuf>,
}

/// Records on their way out, with their entries.
struct Parcel {
    index: u64,
    record: Record,
    entry: Vec<u8>,
}

impl Outlet {
    /// Sends entries of a range from its beginning, at most [`MAX_BATCH`] bytes of them but at least one, and says how
    /// many those were.
    pub(super) fn send(&self, reader: &Reader<Place>, size: u64, range: Range<u64>) -> Result<u64, String> {
        let (mut parcels, mut bytes) = (Vec::new(), 0);
        'all: for bundle in reader.entries(range, size) {
            let bundle = bundle.map_err(|wrong| wrong.to_string())?;
            for (index, entry) in bundle.iter() {
                bytes += entry.len();
                if bytes > MAX_BATCH && !parcels.is_empty() {
                    break 'all;
                }
                parcels.push(parcel(index, entry));
            }
        }
        self.deliver(reader.verifier().name(), &parcels)?;
        u64::try_from(parcels.len()).map_err(|wrong| wrong.to_string())
    }

    /// Tells of records that the sink did not get.
    pub(super) fn tell(&self, origin: &str, gap: &Gap, now: Timestamp) -> Result<(), String> {
        let record = gap.record(now);
        let entry = record.entry();
        self.deliver(origin, &[Parcel { index: gap.from, record, entry }])
    }

    fn deliver(&self, origin: &str, parcels: &[Parcel]) -> Result<(), String> {
        match self.url.scheme() {
            "syslog" | "syslog+tls" => self.syslog(origin, parcels).map_err(|wrong| wrong.to_string()),
            _ => self.post(origin, parcels),
        }
    }

    fn post(&self, origin: &str, parcels: &[Parcel]) -> Result<(), String> {
        let items: Vec<Item<'_>> = parcels
            .iter()
            .map(|Parcel { index, record, entry }| Item { index: *index, record, raw: entry })
            .collect();
        let mut body = Vec::new();
        export::batch(self.format, origin, &items, &mut body);
        let options = Options {
            connect: PATIENCE,
            head: PATIENCE,
            idle: PATIENCE,
            total: 3 * PATIENCE,
            redirects: 0,
            ca_file: self.ca.clone(),
            ..Options::default()
        };
        let client = Client::new(&options).map_err(|wrong| wrong.to_string())?;
        let mut request = Request::new(Method::Post, self.url.as_str()).map_err(|wrong| wrong.to_string())?;
        if let Some(secret) = &self.authorization {
            request = request.header("Authorization", secret.expose());
        }
        let request =
            request.header("Content-Type", self.format.batch_media_type()).payload(Payload::Bytes(&body));
        let response = client.send(request).map_err(|wrong| wrong.to_string())?;
        response.success().map(drop).map_err(|wrong| wrong.to_string())
    }

    /// Messages with their length before them (RFC 5425 section 4.3, RFC 6587 section 3.4.1), on a connection of their
    /// own: that it closes in order is the only sign of their arrival that the protocol knows.
    fn syslog(&self, origin: &str, parcels: &[Parcel]) -> std::io::Result<()> {
        let tls = self.url.scheme() == "syslog+tls";
        let target = Target {
            host: self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
            port: self.url.port().unwrap_or(if tls { SYSLOG_TLS } else { SYSLOG }),
            tls,
            ca_file: self.ca.clone(),
            patience: PATIENCE,
        };
        let (mut bytes, mut message) = (Vec::new(), Vec::new());
        for Parcel { index, record, entry } in parcels {
            message.clear();
            export::write(self.format, *index, origin, record, entry, &mut message);
            bytes.extend_from_slice(format!("{} ", message.len()).as_bytes());
            bytes.extend_from_slice(&message);
        }
        let mut stream = dial(&target)?;
        stream.write_all(&bytes)?;
        stream.finish()
    }
}

/// An entry that this version cannot read leaves a mark, not a hole.
fn parcel(index: u64, entry: &[u8]) -> Parcel {
    match Record::parse(entry) {
        Ok(record) => Parcel { index, record, entry: entry.to_vec() },
        Err(wrong) => {
            let gap = Gap { from: index, to: index + 1, reason: wrong.to_string() };
            let record = gap.record(Timestamp::now());
            Parcel { index, entry: record.entry(), record }
        }
    }
}
