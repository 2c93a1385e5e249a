//! The builder of package URLs against the cases of the purl specification.

use boltseal_ecosystem::purl::Purl;
use serde_json::Value;

use crate::shared;

/// Description of a case that the builder need not hold, tab, reason.
const EXCEPTIONS: &str = include_str!("data/purls.tsv");

#[test]
fn build_cases() {
    let Some(files) = shared::archive("data/fixtures/purl-types.tar.zst") else { return };
    let (mut built, mut all) = (0, 0);
    let mut excepted: Vec<String> = Vec::new();
    for (path, content) in files.iter().filter(|(path, _)| path.contains("/tests/")) {
        let cases: Value = serde_json::from_slice(content).unwrap();
        for case in cases["tests"].as_array().unwrap().iter().filter(|case| case["test_type"] == "build") {
            all += 1;
            let (input, description) = (&case["input"], case["description"].as_str().unwrap());
            let exception =
                EXCEPTIONS.lines().find_map(|line| line.strip_prefix(description)?.strip_prefix('\t'));
            // One description stands for a case of several types; of those that work only the one with a place is meant.
            if exception.is_some() && (case["expected_failure"] == true || !input["subpath"].is_null()) {
                excepted.push(description.to_owned());
                continue;
            }
            let text = |key: &str| input[key].as_str().unwrap_or_default();
            let mut purl =
                Purl::new(text("type"), text("name")).namespace(text("namespace")).version(text("version"));
            for (key, value) in input["qualifiers"].as_object().into_iter().flatten() {
                purl = purl.qualifier(key, value.as_str().unwrap());
            }
            assert_eq!(purl.to_string(), case["expected_output"].as_str().unwrap(), "{path}: {description}");
            built += 1;
        }
    }
    eprintln!(
        "package URLs: {built} of {all} build cases hold, {} are exceptions with a reason",
        excepted.len()
    );
    let unused: Vec<_> = EXCEPTIONS
        .lines()
        .filter(|line| !excepted.iter().any(|used| line.split('\t').next() == Some(used)))
        .collect();
    assert!(unused.is_empty() && built >= 57, "{built} cases hold; of no use: {unused:?}");
}

/// The examples of the type definitions survive being taken apart and built again.
#[test]
fn examples_of_our_types() {
    let Some(files) = shared::archive("data/fixtures/purl-types.tar.zst") else { return };
    for kind in [
        "apk",
        "bitnami",
        "cargo",
        "cocoapods",
        "composer",
        "conan",
        "conda",
        "cran",
        "deb",
        "gem",
        "golang",
        "hackage",
        "julia",
        "hex",
        "maven",
        "npm",
        "nuget",
        "pub",
        "pypi",
        "swift",
    ] {
        let definition: Value =
            serde_json::from_slice(&files[&format!("purl/types/{kind}-definition.json")]).unwrap();
        for example in
            definition["examples"].as_array().unwrap().iter().map(|example| example.as_str().unwrap())
        {
            let (main, _subpath) = example.split_once('#').unwrap_or((example, ""));
            let (main, qualifiers) = main.split_once('?').unwrap_or((main, ""));
            let (path, version) = main.rsplit_once('@').unwrap_or((main, ""));
            let path = path.strip_prefix(&format!("pkg:{kind}/")).unwrap();
            let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parts = [namespace, name, version].map(decode);
            let qualifiers: Vec<_> = qualifiers
                .split('&')
                .filter_map(|q| q.split_once('='))
                .map(|(k, v)| (k, decode(v)))
                .collect();
            let mut purl = Purl::new(kind, &parts[1]).namespace(&parts[0]).version(&parts[2]);
            for (key, value) in &qualifiers {
                purl = purl.qualifier(key, value);
            }
            // The canonical form has qualifiers in order; some examples have not.
            let (example, asked) = example.split('#').next().unwrap().split_once('?').unwrap_or((main, ""));
            let mut asked: Vec<&str> = asked.split('&').filter(|pair| !pair.is_empty()).collect();
            asked.sort_unstable_by_key(|pair| pair.split('=').next());
            let found = purl.to_string();
            let (found, qualifiers) = found.split_once('?').unwrap_or((&found, ""));
            assert_eq!(found, example);
            assert_eq!(qualifiers, asked.join("&"), "{example}");
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
