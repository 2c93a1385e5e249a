//! `CloudEvents` 1.0.2, JSON event format.

use serde_json::{Value, json};

use super::{Frame, Line, News, Rule, page};

/// An event of the type `boltseal.findings.new`, or `boltseal.findings.test`.
pub(super) fn body(rule: &Rule, news: &News, frame: &Frame<'_>) -> String {
    let counts = &news.counts;
    let event = json!({
        "specversion": "1.0",
        "id": frame.id,
        "source": frame.source,
        "type": if news.sample { "boltseal.findings.test" } else { "boltseal.findings.new" },
        "time": frame.now.to_string(),
        "subject": rule.name,
        "datacontenttype": "application/json",
        "data": {
            "rule": rule.name,
            "summary": news.headline(),
            "findings": news.findings,
            "images": news.images,
            "severities": counts,
            "vulnerabilities": news.lines.iter().map(|one| line(rule, one)).collect::<Vec<_>>(),
            "more": news.rest,
        },
    });
    event.to_string()
}

fn line(rule: &Rule, line: &Line) -> Value {
    json!({
        "vulnerability": line.vulnerability,
        "title": line.title,
        "package": line.package,
        "installed": line.installed,
        "fixed": line.standing.fixed,
        "severity": line.standing.severity.word(),
        "exploited": line.standing.kev,
        "epss": line.standing.epss,
        "cause": line.cause.word(),
        "images": line.images,
        "places": line.names,
        "page": page(rule, line),
    })
}
