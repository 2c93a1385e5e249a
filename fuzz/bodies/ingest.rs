//! Any bytes: as what Kubernetes, Docker or a node reports. Whatever is an event is a record that the log can hold, and the
//! same event when it comes again.

use boltseal_audit::{
    Record,
    ingest::{Ingested, Seen, docker, docker_commands, kubernetes, node},
};

/// Reads `data` as each of them.
pub fn body(data: &[u8]) {
    if let Ok(events) = kubernetes(data, "east") {
        check(events);
    }
    for read in [docker, docker_commands, node] {
        if let Ok(events) = read(data, "node-1") {
            check(events);
        }
    }
}

fn check(events: Vec<Ingested>) {
    for Ingested { record, .. } in &events {
        let entry = record.entry();
        let read = Record::parse(&entry).expect("an entry is a record");
        assert!(read.entry() == entry, "an entry has one spelling");
    }
    let mut seen = Seen::new(events.len());
    let count = seen.fresh(events.clone()).len();
    assert!(count <= events.len() && count == seen.len());
    assert!(seen.fresh(events).is_empty(), "an event is new once");
}
