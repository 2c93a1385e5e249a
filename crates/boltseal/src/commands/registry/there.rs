//! Who we are at another registry, and how it is reached.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::{exit::Failure, given, target::password};

#[derive(Debug, clap::Args)]
pub struct There {
    /// Name to sign in to the other registry with; the password comes on standard input
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Leave the password as it is
    #[arg(long, requires = "username")]
    keep_password: bool,
    /// Let the other registry speak HTTP without TLS
    #[arg(long)]
    pub plain_http: bool,
    /// PEM file of the authority that vouches for the other registry
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
}

impl There {
    /// The password, where one is needed.
    pub fn password(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if self.username.is_none() || self.keep_password {
            return Ok(None);
        }
        password().map(|password| Some(Zeroizing::new(password)))
    }

    /// The authority, as it is sent.
    pub fn authority(&self) -> Result<Option<String>, Failure> {
        self.authority.as_deref().map(given::text).transpose()
    }
}

/// `90s`, `15m`, `6h`, `7d`: seconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "expected a length of time such as 90s, 15m, 6h or 7d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let many = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(many).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, expected) in
            [("90s", Some(90)), ("15m", Some(900)), ("6h", Some(21_600)), ("7d", Some(604_800))]
        {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
        for text in ["", "6", "h", "6 h", "-1h", "99999999999999999999d", "18446744073709551615d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
