//! The fuzz targets of this crate over their seeds and mutations of them, without a fuzzer; and the network of groups.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

#[path = "../../../../fuzz/bodies/dns.rs"]
mod dns;
#[path = "../../../../fuzz/bodies/docker.rs"]
mod docker;
mod network;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 9] =
        [b"containers", b"/create", b"HostConfig", b"POST", b"..", b"%2f", b"v1.23", b"e30=", b"null"];
    boltseal_testkit::mutations("docker", &words, 3_000, docker::body);
}

#[test]
fn questions_for_names_never_panic() {
    let words: [&[u8]; 7] =
        [b"\x02db", b"\x04in-addr", b"\x03arp", &[0xc0, 0x0c], &[0, 1, 0, 1], &[0, 41], b"\x3f"];
    boltseal_testkit::mutations("dns", &words, 5_000, dns::body);
}
