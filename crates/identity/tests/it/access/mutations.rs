//! The bodies of the fuzz targets over their seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../../fuzz/bodies/condition.rs"]
mod condition;
#[path = "../../../../../fuzz/bodies/role.rs"]
mod role;

fn check(target: &str, body: fn(&str)) {
    let words: [&[u8]; 5] = [b"(!", b"'", b" OR ", b"\",\"*/", "é\u{202e}".as_bytes()];
    boltseal_testkit::mutations(target, &words, 4_000, |bytes| body(&String::from_utf8_lossy(bytes)));
}

#[test]
fn conditions() {
    check("condition", condition::body);
}

#[test]
fn roles() {
    check("role", role::body);
}
