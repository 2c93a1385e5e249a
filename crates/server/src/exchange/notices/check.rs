//! Whether a rule and its secret make sense, before they are kept.

use boltseal_api::notifications::{Rule, Target, Tls};
use boltseal_model::Severity;
use lettre::message::Mailbox;
use url::Url;

use super::super::{Error, check_ca, outbox::post};

/// Characters of a name.
const MAX_NAME: usize = 40;
/// Characters of an address or a pattern.
const MAX_TEXT: usize = 500;
/// Characters of an address that is a secret: those of workflows are long.
const MAX_SECRET: usize = 1_000;
/// Addresses of one mail.
const MAX_TO: usize = 50;
/// Lines of one message: Slack takes 50 blocks, Teams 28 kB.
const MAX_LINES: u32 = 40;
/// Seconds that a message may wait for silence: longer, and it comes too late.
const MAX_SETTLE: u64 = 900;
/// Seconds between two messages: a week.
const MAX_EVERY: u64 = 7 * 86_400;
/// Days.
const MAX_DAYS: u32 = 400;

fn wrong<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Asked(why.into()))
}

/// Everything but the secret.
pub(super) fn rule(rule: &Rule) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if rule.name.is_empty() || rule.name.len() > MAX_NAME || !rule.name.chars().all(plain) {
        return wrong(format!("a name has 1 to {MAX_NAME} characters: lower-case letters, digits and `-`"));
    }
    if rule.severity.as_ref().is_some_and(|word| word.parse::<Severity>().is_err()) {
        let all = Severity::WORST_FIRST.map(Severity::word).join(", ");
        return wrong(format!("`severity` is one of {all}"));
    }
    if rule.epss.is_some_and(|score| !(1..=10).any(|tenths| same(score, f64::from(tenths) / 10.0))) {
        return wrong("`epss` is a tenth, 0.1 to 1: what changes within a tenth is not told of");
    }
    if rule.repositories.is_empty() || rule.repositories.len() > MAX_TEXT {
        return wrong(format!("`repositories` has 1 to {MAX_TEXT} characters"));
    }
    if rule.pulled_within_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return wrong(format!("`pulled_within_days` is 1 to {MAX_DAYS}"));
    }
    if rule.settle > MAX_SETTLE || rule.every > MAX_EVERY {
        return wrong(format!("`settle` is at most {MAX_SETTLE} seconds, `every` {MAX_EVERY}"));
    }
    if !(1..=MAX_LINES).contains(&rule.lines) {
        return wrong(format!("`lines` is 1 to {MAX_LINES}"));
    }
    if let Some(address) = &rule.dashboard {
        web(address, "dashboard", true)?;
    }
    if let Some(ca) = &rule.to.reach().ca {
        check_ca(ca)?;
    }
    target(&rule.to)
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < f64::EPSILON
}

fn target(target: &Target) -> Result<(), Error> {
    match target {
        Target::Webhook { url, reach } => web(url, "url", reach.allow_private).map(drop),
        // What was said of the host is not believed: it is taken from the secret.
        Target::Slack { .. } | Target::Teams { .. } => Ok(()),
        Target::Email { host, port, tls, username, from, to, .. } => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
            if host.is_empty() || host.len() > MAX_TEXT || !host.chars().all(plain) {
                return wrong("`host` is the name or the address of a mail server");
            }
            if *port == Some(0) {
                return wrong("`port` is 1 to 65535");
            }
            if *tls == Tls::None && username.is_some() {
                return wrong("nobody signs in without TLS: a password would be read on the way");
            }
            if username.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_TEXT) {
                return wrong(format!("`username` has 1 to {MAX_TEXT} characters"));
            }
            mailbox(from)?;
            if !(1..=MAX_TO).contains(&to.len()) {
                return wrong(format!("`to` has 1 to {MAX_TO} addresses"));
            }
            to.iter().try_for_each(|to| mailbox(to).map(drop))
        }
    }
}

/// `Name <local@domain>`, or the address alone.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Error> {
    let known = (text.len() <= MAX_TEXT).then(|| text.parse::<Mailbox>().ok()).flatten();
    known.ok_or_else(|| {
        let start: String = text.chars().take(MAX_NAME).collect();
        Error::Asked(format!("`{start}` is no address of mail: name@example.com, or Name <name@example.com>"))
    })
}

fn web(text: &str, field: &str, plain: bool) -> Result<Url, Error> {
    // An address may be a secret, so nothing of it is repeated.
    let known = (text.len() <= MAX_SECRET).then(|| Url::parse(text).ok()).flatten();
    let Some(url) = known.filter(|url| url.host_str().is_some()) else {
        return wrong(format!("`{field}` is not usable: an address of at most {MAX_SECRET} characters"));
    };
    match url.scheme() {
        "https" => {}
        "http" if plain => {}
        _ => return wrong(format!("`{field}` must be https, unless private addresses are allowed")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(format!("`{field}` must not have a name or a password in it"));
    }
    Ok(url)
}

/// A secret that is given with a rule. Where it is an address, the rule is told its host.
pub(super) fn secret(rule: &mut Rule, secret: &str) -> Result<(), Error> {
    match &mut rule.to {
        Target::Webhook { .. } => match post::key(secret) {
            Some(_) => Ok(()),
            None => wrong("`secret` is `whsec_` and 24 to 64 bytes in base64"),
        },
        Target::Slack { host, reach } | Target::Teams { host, reach } => {
            let url = web(secret, "secret", reach.allow_private)?;
            url.host_str().unwrap_or_default().clone_into(host);
            Ok(())
        }
        Target::Email { username, .. } => {
            if username.is_none() {
                return wrong("`secret` is the password of `username`, which is missing");
            }
            if secret.is_empty() || secret.len() > MAX_TEXT || secret.chars().any(char::is_control) {
                return wrong(format!("`secret` has 1 to {MAX_TEXT} characters, none of control"));
            }
            Ok(())
        }
    }
}

/// Whether a secret that was given for one is for the other as well.
pub(super) fn same_place(before: &Target, now: &Target) -> bool {
    match (before, now) {
        (Target::Webhook { .. }, Target::Webhook { .. })
        | (Target::Slack { .. }, Target::Slack { .. })
        | (Target::Teams { .. }, Target::Teams { .. }) => true,
        (
            Target::Email { host, port, tls, username: Some(username), reach, .. },
            Target::Email {
                host: host_now,
                port: port_now,
                tls: tls_now,
                username: name_now,
                reach: reach_now,
                ..
            },
        ) => {
            (host, port, tls, reach) == (host_now, port_now, tls_now, reach_now)
                && name_now.as_ref() == Some(username)
        }
        _ => false,
    }
}

/// A secret that stays keeps its host.
pub(super) fn keep_host(now: &mut Target, before: &Target) {
    if let (
        Target::Slack { host, .. } | Target::Teams { host, .. },
        Target::Slack { host: known, .. } | Target::Teams { host: known, .. },
    ) = (now, before)
    {
        known.clone_into(host);
    }
}
