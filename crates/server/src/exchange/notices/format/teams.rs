//! What a workflow of Teams takes ("When a Teams webhook request is received"): a message with an Adaptive Card
//! (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>).
//!
//! Other people's words stand in text runs, which take no Markdown: a package cannot put a link into a channel.

use serde_json::{Value, json};

use super::{Line, News, Rule, list, page};

/// Teams takes 28 kB; what stands around the lines needs the rest.
const MAX_LINES_BYTES: usize = 22_000;

/// The message.
pub(super) fn body(rule: &Rule, news: &News) -> String {
    let mut news = news.clone();
    let mut lines: Vec<Value> = news.lines.iter().map(|one| line(rule, one)).collect();
    let mut bytes: usize = lines.iter().map(|line| line.to_string().len()).sum();
    while bytes > MAX_LINES_BYTES
        && let Some(last) = lines.pop()
    {
        bytes -= last.to_string().len();
        news.rest += 1;
    }
    let about = format!("{} · rule {}", news.severities(), rule.name);
    let mut body = vec![
        json!({ "type": "TextBlock", "text": news.headline(), "size": "Large", "weight": "Bolder", "wrap": true }),
        json!({ "type": "TextBlock", "text": about, "isSubtle": true, "spacing": "None", "wrap": true }),
    ];
    body.append(&mut lines);
    if let Some(text) = news.remainder() {
        body.push(json!({ "type": "TextBlock", "text": text, "isSubtle": true, "wrap": true }));
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": body,
    });
    if let (Some(address), Some(card)) = (list(rule), card.as_object_mut()) {
        let open =
            json!([{ "type": "Action.OpenUrl", "title": "All that is newly vulnerable", "url": address }]);
        card.insert("actions".to_owned(), open);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
    .to_string()
}

fn line(rule: &Rule, line: &Line) -> Value {
    use boltseal_model::Severity::{Critical, High, Low, Medium, Negligible, Unknown};
    let colour = match line.standing.severity {
        Critical | High => "Attention",
        Medium => "Warning",
        Low | Negligible | Unknown => "Default",
    };
    let mut id = json!({ "type": "TextRun", "text": line.vulnerability, "weight": "Bolder" });
    if let (Some(address), Some(id)) = (page(rule, line), id.as_object_mut()) {
        id.insert("selectAction".to_owned(), json!({ "type": "Action.OpenUrl", "url": address }));
    }
    let severity = format!("{} ", line.standing.severity.word());
    let rest = format!(" {} — {}. ", line.what(), line.why());
    json!({
        "type": "RichTextBlock",
        "inlines": [
            { "type": "TextRun", "text": severity, "weight": "Bolder", "color": colour },
            id,
            { "type": "TextRun", "text": rest },
            { "type": "TextRun", "text": line.whereabouts(), "isSubtle": true },
        ],
    })
}
