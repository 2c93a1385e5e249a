//! Feeds: whatever the bytes, every format reads them or says why not, and so does every container.
#![no_main]
use boltseal_feed::{ALL, Document, Sink, read_bytes};
use boltseal_model::{Advisory, Enrichment, FeedInfo};
use libfuzzer_sys::fuzz_target;

struct Checked;

impl Sink for Checked {
    fn advisory(&mut self, advisory: Advisory) {
        assert!(!advisory.id.is_empty() && !advisory.affected.is_empty());
        assert!(advisory.cvss.iter().all(|cvss| (0.0..=10.0).contains(&cvss.score)));
    }
    fn enrichment(&mut self, _: Enrichment) {}
    fn feed(&mut self, _: FeedInfo) {}
    fn rejected(&mut self, what: &str, why: &str) {
        assert!(!what.is_empty() && !why.is_empty());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = read_bytes("input", bytes, &mut Checked);
    for format in ALL {
        let mut input = bytes;
        let _ = format.read(&mut Document { name: "input", input: &mut input }, format.id(), &mut Checked);
    }
});
