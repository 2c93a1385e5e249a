//! Any bytes: every format reads them or says why not, and so does every container; what they say is well-formed.

use boltseal_feed::{ALL, Document, Sink, read_bytes};
use boltseal_model::{Advisory, Enrichment, FeedInfo};

/// First as a file that somebody imports, then to every format whether it claims the bytes or not.
pub fn body(bytes: &[u8]) {
    let _ = read_bytes("input", bytes, &mut Checked);
    for format in ALL {
        let mut input = bytes;
        let read = format.read(&mut Document { name: "input", input: &mut input }, format.id(), &mut Checked);
        if let Ok(tally) = read {
            assert!(tally.feed.is_none_or(|feed| feed.len() <= bytes.len()));
        }
    }
}

struct Checked;

impl Sink for Checked {
    fn advisory(&mut self, advisory: Advisory) {
        assert!(!advisory.id.is_empty() && !advisory.affected.is_empty());
        assert!(
            advisory
                .affected
                .iter()
                .all(|affected| affected.space.contains(|c: char| c.is_ascii_alphabetic()))
        );
        assert!(advisory.cvss.iter().all(|cvss| (0.0..=10.0).contains(&cvss.score)));
        assert!(!advisory.aliases.contains(&advisory.id));
    }

    fn enrichment(&mut self, enrichment: Enrichment) {
        if let Enrichment::Epss { epss, .. } = enrichment {
            assert!((0.0..=1.0).contains(&epss.score) && (0.0..=1.0).contains(&epss.percentile));
        }
    }

    fn feed(&mut self, _: FeedInfo) {}

    fn rejected(&mut self, what: &str, why: &str) {
        assert!(!what.is_empty() && !why.is_empty());
    }
}
