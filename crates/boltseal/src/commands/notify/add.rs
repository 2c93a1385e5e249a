//! The arguments of a rule.

use std::path::PathBuf;

use boltseal_api::notifications::{LINES, NewRule, Reach, Rule, Target, Tls};
use boltseal_model::Severity;
use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::{
    commands::registry::{retention::days, there::seconds},
    exit::Failure,
    given,
    terminal::Lines,
};

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    group = clap::ArgGroup::new("target").required(true).args(["slack", "teams", "webhook", "email"]),
    after_help = "\
A rule tells of a finding in a stored image when it meets all conditions and did not before: when new vulnerability data \
brings it, when it becomes so severe or so likely to be exploited, when a fix comes; and when it becomes known to be \
exploited. \
What an image had when it was pushed is told by the `verdict` event of `boltseal registry webhook`.

An update of feeds is one message: it is made when nothing has changed for --settle, and at most every --at-most-every. It \
has a line for each vulnerable package, the worst first, and the count of the rest.

The address of an incoming webhook (Slack, Teams) and the password of a mail account are read from standard input; they \
are not shown again. A webhook's messages are CloudEvents 1.0, signed as those of `boltseal registry webhook`. What does \
not arrive is sent again for a day; the same message may arrive twice, with the same id.

Examples:
  boltseal notify add critical --severity critical --slack < slack-address.txt
  boltseal notify add exploited --exploited --repositories 'prod/*' --tagged --teams < teams-address.txt
  boltseal notify add fixable --severity high --fixable --email ops@example.com \\
    --smtp mail.example.com --from boltseal@example.com --username boltseal < password.txt
  boltseal notify add ci --webhook https://ci.example.com/hooks/findings"
)]
pub(super) struct Add {
    /// Name of the rule: lower-case letters, digits and `-`
    name: String,
    /// Tell a Slack channel; its incoming webhook's address comes on standard input
    #[arg(long, help_heading = "Who is told")]
    slack: bool,
    /// Tell a Teams channel or chat; its workflow's address comes on standard input
    #[arg(long, help_heading = "Who is told")]
    teams: bool,
    /// Tell a program at this address
    #[arg(long, value_name = "URL", help_heading = "Who is told")]
    webhook: Option<String>,
    /// Tell this person by mail. May be given several times
    #[arg(long, value_name = "ADDRESS", requires_all = ["smtp", "from"], help_heading = "Who is told")]
    email: Vec<String>,
    /// Mail server
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Who is told")]
    smtp: Option<String>,
    /// Whom the mail is from
    #[arg(long, value_name = "ADDRESS", help_heading = "Who is told")]
    from: Option<String>,
    /// When TLS begins: with the connection (port 465), by STARTTLS (587), or never (25)
    #[arg(long, value_name = "WHEN", default_value = "starttls", help_heading = "Who is told")]
    tls: When,
    /// Name to sign in to the mail server with; the password comes on standard input
    #[arg(long, value_name = "NAME", requires = "smtp", help_heading = "Who is told")]
    username: Option<String>,
    /// Leave the address, the password or the webhook's secret as it is; nothing is read
    #[arg(long, help_heading = "Who is told")]
    keep_secret: bool,
    /// Read the secret of a webhook from standard input: whsec_ and 24 to 64 bytes in base64
    #[arg(long, requires = "webhook", help_heading = "Who is told")]
    secret_stdin: bool,
    /// Allow a private address, and HTTP without TLS
    #[arg(long, help_heading = "Who is told")]
    allow_private: bool,
    /// PEM file of the authority that vouches for the address, if the system does not know it
    #[arg(long, value_name = "FILE", help_heading = "Who is told")]
    authority: Option<PathBuf>,
    #[command(flatten)]
    conditions: Conditions,
    /// Make a message when nothing has changed for so long
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "30s", help_heading = "How often")]
    settle: u64,
    /// Leave so much time between two messages
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "10m", help_heading = "How often")]
    at_most_every: u64,
    /// Lines of a message
    #[arg(long, value_name = "NUMBER", default_value_t = LINES, help_heading = "How often")]
    lines: u32,
    /// Address of the dashboard as readers reach it, for links
    #[arg(long, value_name = "URL", help_heading = "How often")]
    dashboard: Option<String>,
    /// Tell nobody for now
    #[arg(long, help_heading = "How often")]
    disabled: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Told of what")]
struct Conditions {
    /// Only findings that are at least so severe
    #[arg(long, value_name = "SEVERITY", value_parser = given::severity())]
    severity: Option<Severity>,
    /// Only findings that are known to be exploited
    #[arg(long)]
    exploited: bool,
    /// Only findings with at least this EPSS score, in tenths: 0.1 to 1
    #[arg(long, value_name = "SCORE")]
    epss: Option<f64>,
    /// Only findings that have a fix
    #[arg(long)]
    fixable: bool,
    /// Only images in repositories that match; * stands for any text
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    repositories: String,
    /// Only images that have a tag there
    #[arg(long)]
    tagged: bool,
    /// Only images that were pulled from there within this many days
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pulled_within: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Tls,
    Starttls,
    None,
}

impl Add {
    /// The rule, and the secret that goes with it.
    pub(super) fn rule(&self) -> Result<NewRule, Failure> {
        let conditions = &self.conditions;
        let rule = Rule {
            name: self.name.clone(),
            severity: conditions.severity.map(|severity| severity.word().to_owned()),
            exploited: conditions.exploited,
            epss: conditions.epss,
            fixable: conditions.fixable,
            repositories: conditions.repositories.clone(),
            tagged: conditions.tagged,
            pulled_within_days: conditions.pulled_within,
            settle: self.settle,
            every: self.at_most_every,
            lines: self.lines,
            dashboard: self.dashboard.clone(),
            to: self.to()?,
            disabled: self.disabled,
        };
        Ok(NewRule { rule, secret: self.secret()? })
    }

    fn to(&self) -> Result<Target, Failure> {
        let ca = self.authority.as_deref().map(given::text).transpose()?;
        let reach = Reach { allow_private: self.allow_private, ca };
        if let Some(url) = &self.webhook {
            return Ok(Target::Webhook { url: url.clone(), reach });
        }
        if self.slack {
            return Ok(Target::Slack { host: String::new(), reach });
        }
        if self.teams {
            return Ok(Target::Teams { host: String::new(), reach });
        }
        let (host, port) = server(self.smtp.as_deref().unwrap_or_default())?;
        Ok(Target::Email {
            host,
            port,
            tls: match self.tls {
                When::Tls => Tls::Tls,
                When::Starttls => Tls::Starttls,
                When::None => Tls::None,
            },
            username: self.username.clone(),
            from: self.from.clone().unwrap_or_default(),
            to: self.email.clone(),
            reach,
        })
    }

    fn secret(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let what = match () {
            () if self.keep_secret => return Ok(None),
            () if self.slack || self.teams => "the address",
            () if self.secret_stdin => "the secret",
            () if self.username.is_some() => "the password",
            () => return Ok(None),
        };
        Lines::new().need(what).map(Some)
    }
}

/// `mail.example.com`, `mail.example.com:2525` or `[2001:db8::25]:25`.
fn server(text: &str) -> Result<(String, Option<u16>), Failure> {
    let wrong = || Failure::usage(format_args!("`{text}` is no mail server: give HOST or HOST:PORT"));
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse).transpose().map_err(|_| wrong())?;
    if host.is_empty() { Err(wrong()) } else { Ok((host.to_owned(), port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_servers() {
        for (text, host, port) in [
            ("mail.example.com", "mail.example.com", None),
            ("mail.example.com:2525", "mail.example.com", Some(2525)),
            ("[::1]:25", "::1", Some(25)),
            ("127.0.0.1:25", "127.0.0.1", Some(25)),
        ] {
            assert_eq!(server(text).unwrap(), (host.to_owned(), port), "{text}");
        }
        for text in ["", ":25", "mail:port", "mail:99999"] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
