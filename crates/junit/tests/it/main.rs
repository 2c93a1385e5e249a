//! Documents that any reader of XML takes, whatever is in the texts.
#![expect(clippy::unwrap_used, reason = "a test says what it expects in the plainest way")]

use boltseal_junit::{Case, End, Suite, Told, written};
use quick_xml::{Reader, events::Event};

/// What a reader finds: names of elements with their attributes, and texts.
fn read(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut all = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return all,
            Event::Start(one) | Event::Empty(one) => {
                let mut words = vec![String::from_utf8(one.name().as_ref().to_vec()).unwrap()];
                for attribute in one.attributes() {
                    let attribute = attribute.unwrap();
                    let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                    let value = String::from_utf8(attribute.value.to_vec()).unwrap();
                    words.push(format!("{key}={value}"));
                }
                all.push(words.join(" "));
            }
            _ => {}
        }
    }
}

#[test]
fn every_end_is_counted_and_written() {
    let told = || Told::new("deny", "a\nb", "one\ntwo");
    let cases = vec![
        Case::new("c", "passed", End::passed("")),
        Case::new("c", "noted", End::passed("a note")),
        Case::new("c", "failed", End::Failed(told())).at("f.yaml", 3),
        Case::new("c", "bare", End::Failed(Told::new("", "m", ""))),
        Case::new("c", "broken", End::Broken(told())),
        Case::new("c", "skipped", End::skipped("later")),
    ];
    let suites =
        [Suite { name: "first".to_owned(), cases }, Suite { name: "empty".to_owned(), cases: Vec::new() }];
    let xml = written("all", &suites);
    let wanted = [
        "testsuites name=all tests=6 failures=2 errors=1 skipped=1",
        "testsuite name=first tests=6 failures=2 errors=1 skipped=1",
        "testcase classname=c name=passed",
        "testcase classname=c name=noted",
        "system-out",
        "testcase classname=c name=failed file=f.yaml line=3",
        "failure type=deny message=a b",
        "testcase classname=c name=bare",
        "failure message=m",
        "testcase classname=c name=broken",
        "error type=deny message=a b",
        "testcase classname=c name=skipped",
        "skipped message=later",
        "testsuite name=empty tests=0 failures=0 errors=0 skipped=0",
    ];
    assert_eq!(read(&xml), wanted);
    assert!(xml.contains(">one\ntwo</failure>"), "{xml}");
}

#[test]
fn strangers_cannot_break_out_of_it() {
    let hostile = "\"/><x a='\u{0}\u{1b}\u{202e}\u{ffff}&lt;]]>";
    let told = Told::new(hostile, hostile, hostile);
    let cases = vec![
        Case::new(hostile, hostile, End::Failed(told)).at(hostile, 1),
        Case::new(hostile, hostile, End::skipped(hostile)),
        Case::new(hostile, hostile, End::passed(hostile)),
    ];
    let xml = written(hostile, &[Suite { name: hostile.to_owned(), cases }]);
    let names: Vec<String> =
        read(&xml).iter().map(|one| one.split(' ').next().unwrap_or_default().to_owned()).collect();
    let wanted =
        ["testsuites", "testsuite", "testcase", "failure", "testcase", "skipped", "testcase", "system-out"];
    assert_eq!(names, wanted);
    assert!(!xml.contains(['\u{0}', '\u{1b}', '\u{202e}', '\u{ffff}']));
}
