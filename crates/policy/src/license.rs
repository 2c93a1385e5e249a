//! Declared licences against banned ones.
//!
//! A declaration may be an SPDX expression (SPDX 2.3 annex D), a plain name, or anything at all. `A OR B` leaves a
//! choice, so it is banned only when both are; `A AND B` when either is. What does not parse is compared as a whole
//! and word by word, because a licence hidden in an odd sentence is still a licence.

use serde::Deserialize;

use crate::pattern::Wild;

/// Deeper parentheses are no licence; recursion stays bounded.
const MAX_DEPTH: usize = 32;

/// A banned licence: an SPDX id or a plain name, both with `*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LicensePattern(Wild);

impl TryFrom<String> for LicensePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Wild::try_from(text).map(Self)
    }
}

impl LicensePattern {
    pub(crate) fn text(&self) -> &str {
        self.0.text()
    }

    /// Whether the declaration `declared` leaves no choice but this licence.
    pub(crate) fn bans(&self, declared: &str) -> bool {
        self.0.fits(declared.trim()) || banned(declared, &|id| self.names(id))
    }

    /// SPDX deprecated `GPL-3.0` and `GPL-3.0+` for `-only` and `-or-later`: every spelling means the same, and a
    /// ban of the bare `GPL-3.0` means both.
    fn names(&self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        if self.0.fits(&id) {
            return true;
        }
        if let Some(base) = id.strip_suffix('+') {
            return self.0.fits(&format!("{base}-or-later")) || self.0.fits(base);
        }
        match id.strip_suffix("-or-later").or_else(|| id.strip_suffix("-only")) {
            Some(base) => {
                self.0.fits(base) || (id.ends_with("-or-later") && self.0.fits(&format!("{base}+")))
            }
            None => self.0.text().to_ascii_lowercase().strip_suffix("-only") == Some(&id),
        }
    }
}

/// Whether every way to satisfy the declaration needs a licence that `ban` names.
fn banned(declared: &str, ban: &dyn Fn(&str) -> bool) -> bool {
    let tokens = tokens(declared);
    let mut parser = Parser { tokens: &tokens, at: 0, ban };
    match parser.alternatives(0) {
        Some(answer) if parser.at == tokens.len() => answer,
        _ => tokens.iter().any(|token| ban(token)),
    }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in text.split([' ', '\t', '\n', ',', ';']) {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')']) {
            let (before, from) = rest.split_at(at);
            let (paren, after) = from.split_at(1);
            tokens.extend([before, paren]);
            rest = after;
        }
        tokens.push(rest);
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
    ban: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn alternatives(&mut self, depth: usize) -> Option<bool> {
        let mut all = self.parts(depth)?;
        while self.eat("or") {
            all &= self.parts(depth)?;
        }
        Some(all)
    }

    fn parts(&mut self, depth: usize) -> Option<bool> {
        let mut any = self.single(depth)?;
        while self.eat("and") {
            any |= self.single(depth)?;
        }
        Some(any)
    }

    fn single(&mut self, depth: usize) -> Option<bool> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.eat("(") {
            let inner = self.alternatives(depth + 1)?;
            return self.eat(")").then_some(inner);
        }
        let id = self.word()?;
        if self.eat("with") {
            let exception = self.word()?;
            return Some((self.ban)(id) || (self.ban)(&format!("{id} WITH {exception}")));
        }
        Some((self.ban)(id))
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> Option<&'a str> {
        let token = self.tokens.get(self.at).copied()?;
        let reserved = ["and", "or", "with", "(", ")"].iter().any(|word| token.eq_ignore_ascii_case(word));
        self.at += 1;
        (!reserved).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans() {
        for (ban, declared, expected) in [
            ("AGPL-3.0-only", "AGPL-3.0-only", true),
            ("AGPL-3.0-only", "agpl-3.0", true),
            ("AGPL-3.0-only", "AGPL-3.0-or-later", false),
            ("AGPL-3.0", "AGPL-3.0-or-later", true),
            ("GPL-3.0-or-later", "GPL-3.0+", true),
            ("GPL-3.0+", "GPL-3.0-or-later", true),
            ("GPL-*", "MIT OR GPL-2.0-only", false),
            ("GPL-*", "MIT AND GPL-2.0-only", true),
            ("GPL-*", "LGPL-2.1-only", false),
            ("GPL-*", "(MIT OR GPL-2.0-only) AND (GPL-3.0-only OR GPL-2.0-only)", true),
            ("GPL-*", "GPL-2.0-only WITH Classpath-exception-2.0", true),
            ("GPL-2.0-only WITH *", "GPL-2.0-only WITH Classpath-exception-2.0", true),
            ("GPL-2.0-only WITH *", "GPL-2.0-only", false),
            ("*Affero*", "GNU Affero General Public License v3", true),
            ("License :: OSI Approved :: MIT License", "License :: OSI Approved :: MIT License", true),
            ("GPL-3.0-only", "see GPL-3.0-only please", true),
            ("MIT", "(((MIT", true),
            ("MIT", "", false),
            ("MIT", "OR OR", false),
        ] {
            let pattern = LicensePattern::try_from(ban.to_owned()).unwrap();
            assert_eq!(pattern.bans(declared), expected, "{ban} against {declared}");
        }
        let deep = "(".repeat(100_000);
        assert!(!LicensePattern::try_from("MIT".to_owned()).unwrap().bans(&deep));
    }
}
