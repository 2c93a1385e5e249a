//! What incoming webhooks of Slack take: a text for notifications, and blocks
//! (<https://docs.slack.dev/reference/block-kit/blocks>). Mattermost, Rocket.Chat and others take the same, at least the text.

use serde_json::{Value, json};

use super::{Line, News, Rule, list, page};

/// Characters of the text of a section.
const MAX_SECTION: usize = 3_000;
/// Characters of a header.
const MAX_HEADER: usize = 150;
/// Blocks of a message are 50 at most; this many are for lines.
const MAX_SECTIONS: usize = 44;

/// The message.
pub(super) fn body(rule: &Rule, news: &News) -> String {
    let headline = news.headline();
    let header: String = headline.chars().take(MAX_HEADER).collect();
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": header } }),
        section(&format!("*{}* · rule `{}`", news.severities(), rule.name)),
    ];
    blocks.extend(sections(rule, news).iter().map(|text| section(text)));
    let open = list(rule).map(|address| format!("<{address}|All that is newly vulnerable>"));
    let last: Vec<String> = news.remainder().into_iter().chain(open).collect();
    if !last.is_empty() {
        let text = last.join(" · ");
        blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] }));
    }
    json!({ "text": format!("{headline}: {}", news.severities()), "blocks": blocks }).to_string()
}

/// Lines, as many in a section as fit.
fn sections(rule: &Rule, news: &News) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in &news.lines {
        let text = text(rule, line);
        match sections.last_mut() {
            Some(section) if section.chars().count() + text.chars().count() < MAX_SECTION => {
                section.push('\n');
                section.push_str(&text);
            }
            _ => sections.push(text.chars().take(MAX_SECTION).collect()),
        }
    }
    sections.truncate(MAX_SECTIONS);
    sections
}

fn text(rule: &Rule, line: &Line) -> String {
    let id = plain(&line.vulnerability);
    let id = match page(rule, line) {
        Some(address) => format!("<{address}|{}>", id.replace('|', "¦")),
        None => id,
    };
    format!(
        "• *{}* *{id}* {} — {}\n   {}",
        line.standing.severity.word(),
        plain(&line.what()),
        line.why(),
        plain(&line.whereabouts()),
    )
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// Without the signs that make links and mentions; those that make bold and code lose their meaning by a space of no
/// width after them.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '*' | '~' | '`' => out.extend([sign, '\u{200b}']),
            other => out.push(other),
        }
    }
    out
}
