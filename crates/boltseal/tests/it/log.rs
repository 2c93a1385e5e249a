//! The log of a data folder, read without the program.

use std::{collections::BTreeSet, path::Path};

use boltseal_audit::{
    Record,
    log::{Folder, Reader, Signer, Verifier, verify},
    record::Activity,
};
use boltseal_model::Digest;

/// The key that a log is verified with.
pub fn verifier(data: &Path) -> Verifier {
    let key = std::fs::read(data.join("keys/audit")).unwrap();
    let end = key.iter().position(|byte| *byte == b'\n').unwrap();
    let name = std::str::from_utf8(&key[..end]).unwrap();
    Signer::from_pkcs8(name, &key[end + 1..]).unwrap().verifier().clone()
}

/// All records, oldest first, of a log that verifies from its first entry.
pub fn records(data: &Path) -> Vec<Record> {
    let reader = Reader::new(Folder::open(&data.join("audit")).unwrap(), verifier(data));
    let verified = verify(&reader, None, &mut |_| {}).unwrap();
    let size = verified.checkpoint.checkpoint().size;
    println!("the log verifies: {size} entries");
    let mut records = Vec::new();
    for bundle in reader.entries(0..size, size) {
        records.extend(bundle.unwrap().iter().map(|(_, entry)| Record::parse(entry).unwrap()));
    }
    records
}

/// The manifests whose push is in the log.
pub fn pushes(data: &Path) -> BTreeSet<Digest> {
    let pushed =
        |record: &Record| record.activity == Activity::Create && record.detail.contains_key("media_type");
    records(data).into_iter().filter(pushed).filter_map(|record| record.subject.digest).collect()
}
