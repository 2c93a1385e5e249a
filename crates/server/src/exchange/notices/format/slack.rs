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
/// Characters of all lines. Slack answers `msg_blocks_too_long` to more than about 13,200 in all blocks, which its reference
/// does not say (<https://github.com/slackapi/bolt-js/issues/2509>); what stands around the lines needs the rest.
const MAX_LINES_TEXT: usize = 11_000;

/// The message.
pub(super) fn body(rule: &Rule, news: &News) -> String {
    let (lines, left_out) = lines(rule, news);
    let news = &News { rest: news.rest + left_out, ..news.clone() };
    let headline = news.headline();
    let header: String = headline.chars().take(MAX_HEADER).collect();
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": header } }),
        section(&format!("*{}* · rule `{}`", news.severities(), rule.name)),
    ];
    blocks.extend(sections(lines).iter().map(|text| section(text)));
    let open = list(rule).map(|address| format!("<{address}|All that is newly vulnerable>"));
    let last: Vec<String> = news.remainder().into_iter().chain(open).collect();
    if !last.is_empty() {
        let text = last.join(" · ");
        blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] }));
    }
    json!({ "text": format!("{headline}: {}", news.severities()), "blocks": blocks }).to_string()
}

/// What fits into a message, and how many lines do not.
fn lines(rule: &Rule, news: &News) -> (Vec<String>, u64) {
    let mut left = MAX_LINES_TEXT;
    let all = news.lines.iter().map(|line| text(rule, line).chars().take(MAX_SECTION).collect::<String>());
    let fits = |text: &String| {
        left = left.saturating_sub(text.chars().count() + 1);
        left > 0
    };
    let lines: Vec<String> = all.take_while(fits).collect();
    let left_out = (news.lines.len() - lines.len()) as u64;
    (lines, left_out)
}

/// Lines, as many in a section as fit.
fn sections(lines: Vec<String>) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for text in lines {
        match sections.last_mut() {
            Some(section) if section.chars().count() + text.chars().count() < MAX_SECTION => {
                section.push('\n');
                section.push_str(&text);
            }
            _ => sections.push(text),
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
