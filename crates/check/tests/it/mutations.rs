//! The fuzz target's body over its seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/secret.rs"]
mod secret;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 8] = [b"\n", b"password=", b"://", b"-----BEGIN ", b"eyJ", b"'''", b"ghp_", b"$6$"];
    boltseal_testkit::mutations("secret", &words, 4_000, secret::body);
}
