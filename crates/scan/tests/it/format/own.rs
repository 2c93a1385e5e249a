//! `docs/reference/report.schema.json` says exactly what the code writes, no more and no less.

use std::collections::BTreeSet;

use boltseal_model::{Decision, GapKind, Severity, Status, VexStatus};
use boltseal_scan::format;
use serde_json::Value;

use super::{complaints, document, example, read, reports};

fn schema() -> Value {
    serde_json::from_str(&read("report.schema.json")).unwrap()
}

#[test]
fn every_report_fits_the_schema() {
    let validator = jsonschema::options().should_validate_formats(true).build(&schema()).unwrap();
    let json = format::by_name("json").unwrap();
    for (name, report) in reports() {
        assert_eq!(complaints(&validator, &document(json, &report)), [""; 0], "{name}");
    }
}

#[test]
fn the_example_is_what_the_code_writes() {
    let text = format::by_name("json").unwrap().text(&example()).unwrap();
    assert_eq!(text, read("report.example.json"));
}

/// With no further properties allowed, the schema knows every field of the example; here, the other way round.
#[test]
fn every_field_of_the_schema_is_in_the_example() {
    let (schema, report) = (schema(), document(format::by_name("json").unwrap(), &example()));
    let mut seen = BTreeSet::new();
    walk(&schema, &schema, &report, "report", &mut seen);
    let mut known = BTreeSet::new();
    fields(&schema, "report", &mut known);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        fields(definition, name, &mut known);
    }
    let unseen: Vec<&String> = known.difference(&seen).collect();
    assert!(known.len() > 60 && unseen.is_empty(), "in no report: {unseen:?}");
}

fn fields(definition: &Value, name: &str, known: &mut BTreeSet<String>) {
    for field in definition["properties"].as_object().into_iter().flatten() {
        known.insert(format!("{name}.{}", field.0));
    }
}

/// Notes every field that says something, by the definition it belongs to.
fn walk(schema: &Value, definition: &Value, value: &Value, name: &str, seen: &mut BTreeSet<String>) {
    if let Some(target) = definition["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap();
        return walk(schema, &schema["$defs"][name], value, name, seen);
    }
    for choice in definition["anyOf"].as_array().into_iter().flatten() {
        walk(schema, choice, value, name, seen);
    }
    for item in value.as_array().into_iter().flatten() {
        walk(schema, &definition["items"], item, name, seen);
    }
    for (field, definition) in definition["properties"].as_object().into_iter().flatten() {
        match value.get(field) {
            None | Some(Value::Null) => {}
            Some(value) => {
                seen.insert(format!("{name}.{field}"));
                walk(schema, definition, value, name, seen);
            }
        }
    }
}

#[test]
fn the_words_of_the_schema_are_the_words_of_the_code() {
    fn check<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str, all: &[T]) {
        let words = schema()["$defs"][name]["enum"].as_array().unwrap().clone();
        assert_eq!(words.len(), all.len(), "{name}");
        for word in &words {
            assert!(
                serde_json::from_value::<T>(word.clone()).is_ok(),
                "{name}: the code does not know {word}"
            );
        }
        for word in all {
            assert!(words.contains(&serde_json::to_value(word).unwrap()), "{name}: not in the schema");
        }
    }
    check("vexStatus", &VexStatus::ALL);
    check("severity", &Severity::WORST_FIRST);
    check("decision", &[Decision::Allow, Decision::Warn, Decision::Unknown, Decision::Deny]);
    check(
        "status",
        &[
            Status::Affected,
            Status::NotAffected,
            Status::UnderInvestigation,
            Status::WillNotFix,
            Status::EndOfLife,
        ],
    );
    check(
        "gapKind",
        &[
            GapKind::UnknownDistribution,
            GapKind::EndOfLife,
            GapKind::FeedMissing,
            GapKind::FeedStale,
            GapKind::FileNotParsed,
            GapKind::VersionNotComparable,
            GapKind::LayerNotRead,
            GapKind::LayerNotVerified,
            GapKind::LimitReached,
        ],
    );
}
