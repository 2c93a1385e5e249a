//! The feed hop against real data, a server that misbehaves, and hostile files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "tests say what they expect in the plainest way"
)]

mod data;
mod hostile;
mod meaning;
mod native;
mod server;
mod update;
mod vendors;

use boltseal_feed::Sink;
use boltseal_model::{Advisory, Enrichment, FeedInfo};

/// Keeps everything it is told.
#[derive(Default)]
pub struct Collected {
    pub advisories: Vec<Advisory>,
    pub enrichments: Vec<Enrichment>,
    pub feeds: Vec<FeedInfo>,
    pub rejected: Vec<(String, String)>,
}

impl Sink for Collected {
    fn advisory(&mut self, advisory: Advisory) {
        self.advisories.push(advisory);
    }

    fn enrichment(&mut self, enrichment: Enrichment) {
        self.enrichments.push(enrichment);
    }

    fn feed(&mut self, feed: FeedInfo) {
        self.feeds.push(feed);
    }

    fn rejected(&mut self, what: &str, why: &str) {
        self.rejected.push((what.to_owned(), why.to_owned()));
    }
}

/// A zip archive of `files`, as `all.zip` of an OSV export is one.
pub fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A minimal OSV record of the Python package `name`.
pub fn record(id: &str, name: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"PyPI","name":"{name}"}},
"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"2"}}]}}]}}]}}"#
    )
}
