//! Messages against the shapes that their receivers publish.

use boltseal_api::notifications::{LINES, Reach, Tls};
use boltseal_model::Severity;
use boltseal_store::{Cause, Counts, Standing};
use serde_json::{Value, json};

use super::*;
use crate::exchange::{Error, outbox::mail::Letter};

/// What somebody could call a package who wants to be believed.
const NASTY: &str = "<!channel> *[click](https://evil.example)* <b>`x`</b> & <https://evil.example|y>";

fn rule(to: Target) -> Rule {
    Rule {
        name: "ops".to_owned(),
        severity: None,
        exploited: false,
        epss: None,
        fixable: false,
        repositories: "*".to_owned(),
        tagged: false,
        pulled_within_days: None,
        settle: 0,
        every: 0,
        lines: LINES,
        dashboard: Some("https://boltseal.example/".to_owned()),
        to,
        disabled: false,
    }
}

fn targets() -> [Target; 4] {
    let (host, reach) = ("example.com".to_owned(), Reach::default());
    [
        Target::Webhook { url: "https://example.com/".to_owned(), reach: reach.clone() },
        Target::Slack { host: host.clone(), reach: reach.clone() },
        Target::Teams { host: host.clone(), reach: reach.clone() },
        Target::Email {
            host,
            port: None,
            tls: Tls::Starttls,
            username: None,
            from: "a@example.com".to_owned(),
            to: vec!["b@example.com".to_owned()],
            reach,
        },
    ]
}

fn line(package: &str) -> Line {
    Line {
        vulnerability: "CVE-2026-1".to_owned(),
        title: NASTY.to_owned(),
        package: package.to_owned(),
        installed: "1.0".to_owned(),
        standing: Standing {
            severity: Severity::Critical,
            fixed: Some("1.1".to_owned()),
            kev: true,
            epss: Some(0.5),
        },
        cause: Cause::Feed,
        images: 10_000,
        names: vec!["team/app:v1".to_owned(), "team/web:v2".to_owned(), "x/y:z".to_owned()],
    }
}

fn news(package: &str, lines: usize) -> News {
    News {
        findings: 10_000,
        images: 10_000,
        counts: Counts { critical: 9_000, low: 1_000, ..Counts::default() },
        lines: vec![line(package); lines],
        rest: 7,
        sample: false,
    }
}

fn bodies(news: &News) -> [Value; 4] {
    let frame = Frame { id: "msg_1", source: "//host/audit", now: Timestamp::UNIX_EPOCH };
    targets().map(|to| serde_json::from_str(&body(&rule(to), news, &frame)).unwrap_or_default())
}

/// Every text below a value.
fn texts(value: &Value, of: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let wanted = fields.get("type").and_then(Value::as_str) == Some(of);
            found.extend(fields.get("text").and_then(Value::as_str).filter(|_| wanted).map(str::to_owned));
            fields.values().for_each(|value| texts(value, of, found));
        }
        Value::Array(all) => all.iter().for_each(|value| texts(value, of, found)),
        _ => {}
    }
}

fn check(schema: &Value, message: &Value) {
    let validator = jsonschema::draft202012::new(schema).map_err(|wrong| wrong.to_string());
    let Ok(validator) = validator else { unreachable!("{validator:?}") };
    let problems: Vec<String> =
        validator.iter_errors(message).map(|wrong| format!("{wrong} at {}", wrong.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?} in {message:#}");
}

/// What Slack says of messages of incoming webhooks and of the blocks that we use: docs.slack.dev, "Block Kit".
fn slack_schema() -> Value {
    let text = |kind: &str, most: usize| {
        json!({ "type": "object", "required": ["type", "text"], "additionalProperties": false,
            "properties": { "type": { "const": kind }, "text": { "type": "string", "minLength": 1, "maxLength": most } } })
    };
    json!({
        "type": "object",
        "required": ["text", "blocks"],
        "additionalProperties": false,
        "properties": {
            "text": { "type": "string", "minLength": 1, "maxLength": 4000 },
            "blocks": { "type": "array", "minItems": 1, "maxItems": 50, "items": { "oneOf": [
                { "type": "object", "required": ["type", "text"], "additionalProperties": false,
                    "properties": { "type": { "const": "header" }, "text": text("plain_text", 150) } },
                { "type": "object", "required": ["type", "text"], "additionalProperties": false,
                    "properties": { "type": { "const": "section" }, "text": text("mrkdwn", 3000) } },
                { "type": "object", "required": ["type", "elements"], "additionalProperties": false,
                    "properties": { "type": { "const": "context" }, "elements":
                        { "type": "array", "minItems": 1, "maxItems": 10, "items": text("mrkdwn", 3000) } } },
            ] } },
        },
    })
}

/// What Teams says of messages to a workflow, and adaptivecards.io of the elements that we use, version 1.4.
fn teams_schema() -> Value {
    let open = json!({ "type": "object", "required": ["type", "url"], "additionalProperties": false, "properties": {
        "type": { "const": "Action.OpenUrl" }, "url": { "type": "string", "pattern": "^https://" }, "title": { "type": "string" } } });
    let weight = json!({ "enum": ["Default", "Lighter", "Bolder"] });
    let block = json!({ "type": "object", "required": ["type", "text"], "additionalProperties": false, "properties": {
        "type": { "const": "TextBlock" }, "text": { "type": "string" }, "weight": weight, "wrap": { "type": "boolean" },
        "size": { "enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"] }, "isSubtle": { "type": "boolean" },
        "spacing": { "enum": ["Default", "None", "Small", "Medium", "Large", "ExtraLarge", "Padding"] } } });
    let run = json!({ "type": "object", "required": ["type", "text"], "additionalProperties": false, "properties": {
        "type": { "const": "TextRun" }, "text": { "type": "string" }, "weight": weight, "isSubtle": { "type": "boolean" },
        "color": { "enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"] }, "selectAction": open } });
    let rich = json!({ "type": "object", "required": ["type", "inlines"], "additionalProperties": false, "properties": {
        "type": { "const": "RichTextBlock" }, "inlines": { "type": "array", "items": run } } });
    json!({
        "type": "object",
        "required": ["type", "attachments"],
        "additionalProperties": false,
        "properties": {
            "type": { "const": "message" },
            "attachments": { "type": "array", "minItems": 1, "maxItems": 1, "items": {
                "type": "object",
                "required": ["contentType", "content"],
                "additionalProperties": false,
                "properties": {
                    "contentType": { "const": "application/vnd.microsoft.card.adaptive" },
                    "contentUrl": { "type": "null" },
                    "content": {
                        "type": "object",
                        "required": ["type", "version", "body"],
                        "additionalProperties": false,
                        "properties": {
                            "$schema": { "const": "http://adaptivecards.io/schemas/adaptive-card.json" },
                            "type": { "const": "AdaptiveCard" },
                            "version": { "const": "1.4" },
                            "msteams": { "type": "object" },
                            "body": { "type": "array", "minItems": 1, "items": { "oneOf": [block, rich] } },
                            "actions": { "type": "array", "items": open },
                        },
                    },
                },
            } },
        },
    })
}

#[test]
fn messages_have_the_published_shapes() {
    for news in [news("openssl", 1), news("openssl", 40), news(&"x".repeat(5_000), 40), News::sample()] {
        let [event, slack, teams, mail] = bodies(&news);
        check(&slack_schema(), &slack);
        check(&teams_schema(), &teams);
        let mut said = Vec::new();
        for kind in ["mrkdwn", "plain_text"] {
            texts(&slack, kind, &mut said);
        }
        let length: usize = said.iter().map(|text| text.chars().count()).sum();
        assert!(length < 13_000, "Slack takes no more in all blocks: {length}");
        assert!(teams.to_string().len() < 28_000, "Teams takes no more: {}", teams.to_string().len());
        for (name, expected) in [
            ("specversion", "1.0"),
            ("id", "msg_1"),
            ("source", "//host/audit"),
            ("type", if news.sample { "boltseal.findings.test" } else { "boltseal.findings.new" }),
        ] {
            assert_eq!(event.get(name).and_then(Value::as_str), Some(expected), "{name}");
        }
        assert!(serde_json::from_value::<Letter>(mail).is_ok());
    }
}

#[test]
fn what_is_said_is_there() {
    let [event, slack, teams, mail] = bodies(&news("openssl", 3));
    let data = event.get("data").cloned().unwrap_or_default();
    let at = |pointer: &str| data.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(
        (at("/findings"), at("/more"), at("/severities/critical")),
        (json!(10_000), json!(7), json!(9_000))
    );
    assert_eq!(at("/vulnerabilities/0/page"), json!("https://boltseal.example/vulnerabilities/CVE-2026-1"));
    let letter: Letter = serde_json::from_value(mail).unwrap_or(Letter {
        subject: String::new(),
        text: String::new(),
        html: String::new(),
    });
    assert_eq!(letter.subject, "[Boltseal] 10000 new findings in 10000 images: 9000 critical, 1000 low");
    for text in [slack.to_string(), teams.to_string(), letter.text, letter.html] {
        for part in [
            "CVE-2026-1",
            "openssl 1.0, fixed in 1.1",
            "known to be exploited, EPSS 50 %",
            "10000 images: team/app:v1, team/web:v2, x/y:z …",
            "and 7 more vulnerabilities",
            "https://boltseal.example/findings/new",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

#[test]
fn names_make_no_links_and_mentions() {
    let [_, slack, teams, mail] = bodies(&news(NASTY, 1));
    let mut said = Vec::new();
    texts(&slack, "mrkdwn", &mut said);
    let said = said.join("\n");
    assert!(said.contains("&lt;!channel&gt;") && !said.contains("<!"), "{said}");
    assert!(!said.contains("<https://evil"), "{said}");
    let mut read_as_markdown = Vec::new();
    texts(&teams, "TextBlock", &mut read_as_markdown);
    assert!(!read_as_markdown.iter().any(|text| text.contains("evil")), "{read_as_markdown:?}");
    let letter: Result<Letter, _> = serde_json::from_value(mail);
    let html = letter.map(|letter| letter.html).unwrap_or_default();
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>`x`"), "{html}");
}

#[test]
fn an_error_says_nothing_of_a_secret() {
    // What is wrong with an address that is a secret is told without it.
    let asked = super::super::check::secret(
        &mut rule(Target::Slack { host: String::new(), reach: Reach::default() }),
        "http://hooks.example.com/sesame",
    );
    let Err(Error::Asked(why)) = asked else { unreachable!("plain HTTP is refused: {asked:?}") };
    assert!(!why.contains("sesame"), "{why}");
}
