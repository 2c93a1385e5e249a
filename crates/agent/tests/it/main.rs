//! The fuzz target of this crate over its seeds and mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/docker.rs"]
mod docker;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 9] =
        [b"containers", b"/create", b"HostConfig", b"POST", b"..", b"%2f", b"v1.23", b"e30=", b"null"];
    boltseal_testkit::mutations("docker", &words, 3_000, docker::body);
}
