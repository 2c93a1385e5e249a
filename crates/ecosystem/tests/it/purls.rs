//! The builder of package URLs against the cases of the purl specification.

use boltseal_ecosystem::purl::Purl;
use serde_json::Value;

use crate::shared;

/// Types whose own rules (case, required parts, forbidden parts) we never need.
const FOREIGN: &[&str] = &[
    "bitbucket",
    "brew",
    "composer",
    "github",
    "mlflow",
    "vcpkg",
    "cran",
    "swid",
    "conda",
    "chrome-extension",
];

#[test]
fn build_cases() {
    let Some(files) = shared::archive("data/fixtures/purl-types.tar.zst") else { return };
    let mut built = 0;
    for (path, content) in files.iter().filter(|(path, _)| path.contains("/tests/")) {
        let cases: Value = serde_json::from_slice(content).unwrap();
        for case in cases["tests"].as_array().unwrap().iter().filter(|case| case["test_type"] == "build") {
            let input = &case["input"];
            let text = |key: &str| input[key].as_str().unwrap_or_default();
            // Wrong parts and subpaths cannot be expressed with the builder.
            if case["expected_failure"] == true
                || FOREIGN.contains(&text("type"))
                || !input["subpath"].is_null()
            {
                continue;
            }
            let mut purl =
                Purl::new(text("type"), text("name")).namespace(text("namespace")).version(text("version"));
            for (key, value) in input["qualifiers"].as_object().into_iter().flatten() {
                purl = purl.qualifier(key, value.as_str().unwrap());
            }
            assert_eq!(
                purl.to_string(),
                case["expected_output"].as_str().unwrap(),
                "{path}: {}",
                case["description"]
            );
            built += 1;
        }
    }
    assert!(built >= 20, "only {built} cases were read");
}

/// The examples of the type definitions survive being taken apart and built again.
#[test]
fn examples_of_our_types() {
    let Some(files) = shared::archive("data/fixtures/purl-types.tar.zst") else { return };
    for kind in ["deb", "apk", "pypi", "npm", "golang", "cargo"] {
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
            assert_eq!(purl.to_string(), example.split('#').next().unwrap());
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
