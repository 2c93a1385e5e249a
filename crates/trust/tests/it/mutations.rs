//! The bodies of the fuzz targets about signatures over their seeds and some thousand mutations, without a fuzzer.

#[path = "../../../../fuzz/bodies/dsse.rs"]
mod dsse;
#[path = "../../../../fuzz/bodies/keyed.rs"]
mod keyed;
#[path = "../../../../fuzz/bodies/notary.rs"]
mod notary;
#[path = "../../../../fuzz/bodies/pkcs11.rs"]
mod pkcs11;
#[path = "../../../../fuzz/bodies/simple.rs"]
mod simple;
#[path = "../../../../fuzz/bodies/x509.rs"]
mod x509;

use boltseal_testkit::mutations;
use boltseal_trust::Form;

const WORDS: [&[u8]; 6] = [b"null", b"\"\"", b"[[[[[[[[", b"\x30\x80", b"\xbf\xff", b"-----BEGIN "];

#[test]
fn envelopes_in_jws() {
    mutations("jws", &WORDS, 2_000, |bytes| notary::body(Form::NotaryJws, bytes));
}

#[test]
fn envelopes_in_cose() {
    mutations("cose", &WORDS, 3_000, |bytes| notary::body(Form::NotaryCose, bytes));
}

#[test]
fn bundles_and_envelopes() {
    mutations("dsse", &WORDS, 2_000, dsse::body);
}

#[test]
fn payloads_with_annotations() {
    mutations("simple", &WORDS, 2_000, |bytes| simple::body(&String::from_utf8_lossy(bytes)));
}

#[test]
fn certificates_and_policies() {
    mutations("x509", &WORDS, 4_000, x509::body);
}

#[test]
fn keys_in_tokens() {
    let words: [&[u8]; 6] = [b"%", b"%25", b";", b"?", b"&pin-value=1", b"object="];
    mutations("pkcs11", &words, 4_000, |bytes| pkcs11::body(&String::from_utf8_lossy(bytes)));
}
