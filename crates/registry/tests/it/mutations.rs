//! The bodies of fuzz targets over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../fuzz/bodies/range.rs"]
mod range;

use boltseal_testkit::mutations;

#[test]
fn seeds_and_mutations_of_ranges_never_panic() {
    mutations("range", &[b"bytes=", b"-", b"/", b",", b"18446744073709551615", b"0"], 4_000, range::body);
}
