//! The bodies of the fuzz targets over their seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/admission.rs"]
mod admission;
#[path = "../../../../fuzz/bodies/definition.rs"]
mod definition;
#[path = "../../../../fuzz/bodies/dockerfile.rs"]
mod dockerfile;

#[test]
fn definitions_never_panic() {
    let words: [&[u8]; 10] = [
        b"\n",
        b": ",
        b"&a [*a, ",
        b"<<: *a",
        b"[[",
        b"'",
        b"concat(",
        b"parameters('",
        b".all(c, ",
        b"{\"a\":",
    ];
    boltseal_testkit::mutations("definition", &words, 3_000, definition::body);
}

#[test]
fn dockerfiles_never_panic() {
    let words: [&[u8]; 10] =
        [b"\n", b"\\\n", b"<<A", b"\"", b"'", b"${", b"&&", b"RUN ", b"FROM ", b"[\"sh\",\"-c\","];
    boltseal_testkit::mutations("dockerfile", &words, 3_000, dockerfile::body);
}

#[test]
fn reviews_never_panic() {
    let words: [&[u8]; 6] = [b"null", b"[", b"{\"a\":", b"\\u0000", b"\"image\": ", b"\"spec\": {"];
    boltseal_testkit::mutations("admission", &words, 2_000, admission::body);
}
