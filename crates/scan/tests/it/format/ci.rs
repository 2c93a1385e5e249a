//! What build systems read, by the rules of each: lines of logs, XML, JSON, Markdown.

use std::collections::BTreeSet;

use boltseal_model::{Decision, Report};
use boltseal_scan::format;
use quick_xml::{Reader, events::Event};
use serde_json::Value;

use super::{bare, complaints, document, example, hostile, reports};

fn text(name: &str, report: &Report) -> String {
    format::by_name(name).unwrap().text(report).unwrap()
}

/// The example as it is without a policy.
fn unjudged() -> Report {
    Report { verdict: None, ..example() }
}

/// Splits `key=value` pairs and decodes them by `decode`.
fn pairs(text: &str, between: char, decode: fn(&str) -> String) -> Vec<(String, String)> {
    text.split(between)
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), decode(value)))
        .collect()
}

struct Line {
    word: String,
    properties: Vec<(String, String)>,
    message: String,
}

/// As the runner of GitHub Actions reads a line.
fn github(line: &str) -> Line {
    let decode = |text: &str| {
        let text = text.replace("%2C", ",").replace("%3A", ":");
        text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    };
    let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (word, properties) = command.split_once(' ').unwrap();
    Line { word: word.to_owned(), properties: pairs(properties, ',', decode), message: decode(message) }
}

/// As the agent of Azure Pipelines reads a line.
fn azure(line: &str) -> Line {
    let decode = |text: &str| {
        let text = text.replace("%3B", ";").replace("%5D", "]");
        text.replace("%0A", "\n").replace("%0D", "\r").replace("%AZP25", "%")
    };
    let (command, message) = line.strip_prefix("##vso[task.logissue ").unwrap().split_once(']').unwrap();
    let properties = pairs(command, ';', decode);
    Line { word: properties[0].1.clone(), properties, message: decode(message) }
}

impl Line {
    fn get(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

#[test]
fn github_reads_every_line_as_one_of_ours() {
    for (name, report) in reports() {
        let text = text("github", &report);
        for line in text.lines() {
            let line = github(line);
            assert!(["error", "warning", "notice"].contains(&line.word.as_str()), "{name}: {}", line.word);
            let keys: Vec<&str> = line.properties.iter().map(|(key, _)| key.as_str()).collect();
            assert!(keys == ["title"] || keys == ["file", "line", "title"], "{name}: {keys:?}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\r'), "{name}");
    }
}

#[test]
fn errors_are_what_stops_the_build() {
    let errors = |report: &Report| -> Vec<String> {
        let lines = text("github", report);
        let lines = lines.lines().map(github).filter(|line| line.word == "error");
        lines.map(|line| line.get("title").unwrap().to_owned()).collect()
    };
    assert_eq!(errors(&example()), ["deny: known-exploited"]);
    let found = errors(&unjudged());
    assert!(found.contains(&"CVE-2026-0001 in libssl3 3.0.11-1~deb12u1".to_owned()), "{found:?}");
    assert!(found.contains(&"GitHub personal access token".to_owned()), "{found:?}");
    let mut allowed = example();
    let verdict = allowed.verdict.as_mut().unwrap();
    (verdict.decision, verdict.reasons) = (Decision::Allow, Vec::new());
    assert_eq!(errors(&allowed), [""; 0]);
}

#[test]
fn findings_stand_at_their_file() {
    let lines = text("github", &unjudged());
    let finding =
        lines.lines().map(github).find(|line| line.message.contains("known to be exploited")).unwrap();
    assert_eq!((finding.get("file"), finding.get("line")), (Some("var/lib/dpkg/status"), Some("1")));
    assert!(finding.message.contains("apt-get update && apt-get install"), "{}", finding.message);
    let secret = lines.lines().map(github).find(|line| line.get("title") == Some("Password")).unwrap();
    assert_eq!((secret.get("file"), secret.get("line")), (Some("app/.env"), Some("3")));
}

#[test]
fn azure_reads_issues_and_nothing_else() {
    for (name, report) in reports() {
        for line in text("azure", &report).lines() {
            if line.starts_with("note: ") {
                assert!(!line.contains("##"), "{name}: {line}");
                continue;
            }
            let issue = azure(line);
            assert!(["error", "warning"].contains(&issue.word.as_str()), "{name}: {line}");
            assert!(!issue.message.contains('\n') && issue.get("code").is_some(), "{name}: {line}");
        }
    }
    let mut report = unjudged();
    report.findings[0].title = "x]##vso[task.complete result=Succeeded;]%0A##vso[task.debug]".to_owned();
    let lines = text("azure", &report);
    let line = lines.lines().find(|line| line.contains("task.complete")).unwrap();
    assert!(azure(line).message.contains("]##vso[task.complete result=Succeeded;]%0A##vso["), "{line}");
}

/// How deep an element lies, its name and its attributes.
type Element = (usize, String, Vec<(String, String)>);

fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut depth, mut all) = (0, Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = String::from_utf8(tag.name().as_ref().to_vec()).unwrap();
                let attributes = tag.attributes().map(|pair| {
                    let pair = pair.unwrap();
                    let value = std::str::from_utf8(&pair.value).unwrap();
                    let value = quick_xml::escape::unescape(value).unwrap().into_owned();
                    (String::from_utf8(pair.key.as_ref().to_vec()).unwrap(), value)
                });
                all.push((depth, name, attributes.collect()));
                depth += usize::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth -= 1,
            Event::Eof => return all,
            _ => {}
        }
    }
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    for (name, report) in reports() {
        let xml = text("junit", &report);
        let bad = |sign: char| sign.is_control() && sign != '\n';
        assert!(!xml.contains(bad), "{name}");
        let all = elements(&xml);
        let names: BTreeSet<(usize, &str)> =
            all.iter().map(|(depth, name, _)| (*depth, name.as_str())).collect();
        for (depth, element) in names {
            let known = match depth {
                0 => &["testsuites"][..],
                1 => &["testsuite"],
                2 => &["testcase"],
                3 => &["failure", "error", "skipped", "system-out"],
                _ => &[],
            };
            assert!(known.contains(&element), "{name}: {element} at depth {depth}");
        }
        let count = |word: &str| all.iter().filter(|(_, element, _)| element == word).count().to_string();
        let sum = |word: &str| all[0].2.iter().find(|(key, _)| key == word).unwrap().1.clone();
        assert_eq!(
            (sum("tests"), sum("failures"), sum("errors")),
            (count("testcase"), count("failure"), count("error")),
            "{name}"
        );
    }
}

#[test]
fn junit_fails_what_the_policy_denies() {
    let failures = |report: &Report| -> Vec<String> {
        let all = elements(&text("junit", report));
        let failed = all.iter().filter(|(_, element, _)| element == "failure");
        failed
            .map(|(_, _, pairs)| pairs.iter().find(|(key, _)| key == "message").unwrap().1.clone())
            .collect()
    };
    let found = failures(&example());
    assert!(
        found.len() == 1 && found[0].starts_with("known-exploited: CVE-2026-0001 in libssl3"),
        "{found:?}"
    );
    assert!(failures(&unjudged()).len() > 4);
    let xml = text("junit", &example());
    assert!(xml.contains("<skipped message=\"ignored until 2027-01-31: only used in tests\"/>"), "{xml}");
}

/// The parts of schema 15.0.7 of GitLab's container scanning that a report can get wrong, in our words.
fn gitlab_schema() -> Value {
    let text = |least: u64| serde_json::json!({ "type": "string", "minLength": least });
    let tool = serde_json::json!({
        "type": "object", "required": ["id", "name", "version", "vendor"],
        "properties": { "id": text(1), "name": text(1), "version": text(1), "vendor": {
            "type": "object", "required": ["name"], "properties": { "name": text(1) } } }
    });
    let moment = serde_json::json!({
        "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$" });
    let url = serde_json::json!({ "type": "string", "pattern": "^(https?|ftp)://.+" });
    serde_json::json!({
        "type": "object",
        "required": ["scan", "version", "vulnerabilities"],
        "properties": {
            "version": { "type": "string", "pattern": "^15\\.[0-9]+\\.[0-9]+$" },
            "scan": {
                "type": "object",
                "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
                "properties": {
                    "analyzer": tool, "scanner": tool, "start_time": moment, "end_time": moment,
                    "status": { "enum": ["success", "failure"] },
                    "type": { "enum": ["container_scanning"] },
                    "messages": { "type": "array", "items": {
                        "type": "object", "required": ["level", "value"],
                        "properties": { "level": { "enum": ["info", "warn", "fatal"] }, "value": text(1) } } }
                }
            },
            "vulnerabilities": { "type": "array", "items": {
                "type": "object",
                "required": ["id", "identifiers", "location"],
                "properties": {
                    "id": text(1),
                    "name": { "type": "string", "maxLength": 255 },
                    "description": { "type": "string", "maxLength": 1_048_576 },
                    "solution": { "type": "string", "maxLength": 7000 },
                    "severity": { "enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"] },
                    "identifiers": { "type": "array", "minItems": 1, "items": {
                        "type": "object", "required": ["type", "name", "value"],
                        "properties": { "type": text(1), "name": text(1), "value": text(1), "url": url } } },
                    "links": { "type": "array", "items": {
                        "type": "object", "required": ["url"], "properties": { "url": url } } },
                    "location": {
                        "type": "object", "required": ["dependency", "operating_system", "image"],
                        "properties": {
                            "operating_system": text(1), "image": text(1),
                            "dependency": { "type": "object", "required": ["package", "version"], "properties": {
                                "version": text(0),
                                "package": { "type": "object", "required": ["name"], "properties": { "name": text(0) } }
                            } }
                        }
                    }
                }
            } }
        }
    })
}

#[test]
fn gitlab_takes_the_report_of_container_scanning() {
    let schema = gitlab_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, report) in reports() {
        assert_eq!(
            complaints(&validator, &document(format::by_name("gitlab").unwrap(), &report)),
            [""; 0],
            "{name}"
        );
    }
    let report = document(format::by_name("gitlab").unwrap(), &example());
    let found = report["vulnerabilities"].as_array().unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(found.iter().map(|one| one["id"].as_str().unwrap()).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(found[0]["identifiers"][0]["url"], "https://nvd.nist.gov/vuln/detail/CVE-2026-0001");
    assert_eq!(found[0]["location"]["operating_system"], "debian 12");
    assert_eq!(found[0]["location"]["image"], "registry.example.com/shop/cart:7");
    assert_eq!(report["scan"]["start_time"], "2026-11-22T06:10:00");
    let mut wrong = report.clone();
    wrong["vulnerabilities"][0]["severity"] = "critical".into();
    assert_eq!(complaints(&validator, &wrong).len(), 1, "the schema can fail");
}

#[test]
fn gitlab_takes_the_report_of_code_quality() {
    for (name, report) in reports() {
        let issues = document(format::by_name("gitlab-code-quality").unwrap(), &report);
        let mut prints = BTreeSet::new();
        for issue in issues.as_array().unwrap() {
            let severity = issue["severity"].as_str().unwrap();
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{name}");
            for field in ["description", "check_name", "fingerprint"] {
                assert!(!issue[field].as_str().unwrap().is_empty(), "{name}: {field}");
            }
            assert!(!issue["location"]["path"].as_str().unwrap().is_empty(), "{name}");
            assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1, "{name}");
            prints.insert(issue["fingerprint"].as_str().unwrap().to_owned());
        }
        assert!(name == "hostile" || prints.len() == issues.as_array().unwrap().len(), "{name}");
    }
}

#[test]
fn markdown_has_tables_of_one_shape_and_no_markup_of_others() {
    for (name, report) in reports() {
        let text = text("markdown", &report);
        let mut columns = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let found = line.matches('|').count();
            assert_eq!(*columns.get_or_insert(found), found, "{name}: {line}");
        }
        let tags = text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
        for tag in tags {
            let ours = ["code", "/code", "details", "/details", "summary", "/summary"];
            assert!(ours.contains(&tag), "{name}: <{tag}>");
        }
        assert!(!text.contains("](") && !text.contains('`') && !text.contains('@'), "{name}:\n{text}");
    }
}

#[test]
fn the_summary_says_what_it_lacks() {
    let markdown = text("markdown", &example());
    for part in [
        "## Boltseal: denied",
        "| deny | known-exploited |",
        "**4 findings**: 1 critical, 1 low, 2 unknown",
        "15 known from docker&#58;//registry.example.com/shop/cart&#58;6",
        "2 ignored",
        "only used in tests",
        "Coverage: incomplete",
    ] {
        assert!(markdown.contains(part), "no `{part}` in\n{markdown}");
    }
    let mut many = hostile();
    many.findings = vec![many.findings[0].clone(); 200];
    let markdown = text("markdown", &many);
    assert!(markdown.contains("… and 150 more; the report has all."), "{markdown}");
    assert!(text("markdown", &bare()).contains("## Boltseal: scanned"));
}
