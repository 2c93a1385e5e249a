//! The order of Debian versions, after deb-version(7): `[epoch:]upstream[-revision]`.

use std::cmp::Ordering;

use crate::VersionError;

/// What proofs call this order.
pub(super) const NAME: &str = "dpkg order";

/// Compares without allocating; both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (a, b) = (Version::parse(a)?, Version::parse(b)?);
    Ok(a.epoch
        .cmp(&b.epoch)
        .then_with(|| part(a.upstream, b.upstream))
        .then_with(|| part(a.revision, b.revision)))
}

struct Version<'a> {
    epoch: u32,
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Result<Self, VersionError> {
        let wrong = |reason| VersionError::new(text, NAME, reason);
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => {
                let digits = !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit());
                let epoch = epoch.parse().ok().filter(|_| digits);
                (epoch.ok_or_else(|| wrong("the epoch is not a number below 2^32"))?, rest)
            }
            None => (0, text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        if upstream.is_empty() {
            return Err(wrong("there is no upstream version"));
        }
        if rest.ends_with('-') {
            return Err(wrong("the revision is empty"));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'~');
        let upstream_allowed = |b: u8| allowed(b) || matches!(b, b'-' | b':');
        if !upstream.bytes().all(upstream_allowed) || !revision.bytes().all(allowed) {
            return Err(wrong("only letters, digits and . + - ~ : are allowed"));
        }
        Ok(Self { epoch, upstream: upstream.as_bytes(), revision: revision.as_bytes() })
    }
}

/// Compares two upstream versions or two revisions: by turns a run of other characters, then a number.
fn part(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    loop {
        // Characters that are no digits; a digit or the end weighs 0, so that the loop stops when both are there.
        loop {
            let (x, y) = (a.peek().copied(), b.peek().copied());
            let order = weight(x).cmp(&weight(y));
            if order.is_ne() {
                return order;
            }
            if weight(x) == 0 {
                break;
            }
            a.next();
            b.next();
        }
        if a.peek().is_none() && b.peek().is_none() {
            return Ordering::Equal;
        }
        // Numbers of any length: without leading zeros the longer is the larger, else the first difference decides.
        while a.next_if_eq(&b'0').is_some() {}
        while b.next_if_eq(&b'0').is_some() {}
        let mut difference = Ordering::Equal;
        loop {
            match (a.next_if(u8::is_ascii_digit), b.next_if(u8::is_ascii_digit)) {
                (Some(x), Some(y)) => difference = difference.then(x.cmp(&y)),
                (Some(_), None) => return Ordering::Greater,
                (None, Some(_)) => return Ordering::Less,
                (None, None) => break,
            }
        }
        if difference.is_ne() {
            return difference;
        }
    }
}

/// Tilde sorts before the end, letters before everything else.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        None | Some(b'0'..=b'9') => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_are_ordered() {
        for text in
            ["", "1.0-", ":1", "a:1", "-1:2", "+1:2", "99999999999:1", "1_2", "1 2", "1.0-1 ", "-1", "1:"]
        {
            assert!(compare(text, "1").is_err(), "{text:?}");
            assert!(compare("1", text).is_err(), "{text:?}");
        }
        for text in ["1", "1:2:3-4-5", "a", "0~", "1.0+dfsg-1~bpo12+1"] {
            assert_eq!(compare(text, text), Ok(Ordering::Equal), "{text:?}");
        }
    }
}
