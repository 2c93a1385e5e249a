//! The bodies of the fuzz targets over their seeds and over mutations of them.

use boltseal_testkit::mutations;
use proptest::prelude::*;

#[path = "../../../../fuzz/bodies/ecosystem.rs"]
mod ecosystem;
#[path = "../../../../fuzz/bodies/rpmdb.rs"]
mod rpmdb;
#[path = "../../../../fuzz/bodies/version.rs"]
mod version;

/// What versions and records of packages stumble over.
const WORDS: [&[u8]; 6] = [b"~", b"\n\n", b"-r", b"\0", b"99999999999999999999", b"."];

#[test]
fn hostile_files() {
    mutations("ecosystem", &WORDS, 8_000, ecosystem::body);
}

#[test]
fn hostile_databases() {
    mutations("rpmdb", &[b"\0\0\0\x01", b"\xff\xff\xff\xff", b"\0", b"Slot"], 3_000, rpmdb::body);
}

#[test]
fn orders_of_seeds() {
    mutations("version", &WORDS, 4_000, version::body);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Texts that are mostly versions, close to each other, of every ecosystem.
    #[test]
    fn orders_are_total(
        a in "[0-2]{0,2}[.:][0-2]{1,2}([.~+_-][0-2abrpc]{0,3}){0,3}",
        b in "[0-2]{0,2}[.:][0-2]{1,2}([.~+_-][0-2abrpc]{0,3}){0,3}",
        c in "[0-2]{1,2}(\\.[0-2]{1,2}){0,2}(-r[0-2]|-rc|rc1|_p1|_rc|~1)?",
    ) {
        for family in boltseal_ecosystem::ALL {
            version::order(*family, &a, &b, &c);
            version::order(*family, &c, &a, &a);
        }
    }
}
