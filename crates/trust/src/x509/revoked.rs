//! What authorities took back: lists of revoked certificates (RFC 5280, section 5), and answers about single ones
//! ([`super::ocsp`]), that the user has as files.
//!
//! Nothing is fetched. A certificate about which there is neither is not checked, and that is told, as is a list that says
//! only a part: a delta, or one of some of the issuer's certificates.

use std::sync::Arc;

use boltseal_model::Timestamp;

use super::{
    Certificate, after,
    list::{List, MAX_LIST},
    ocsp::Answer,
};
use crate::pem;

/// Bytes of a file with a list: base64 has a third more, and ends of lines.
const MAX_FILE: usize = MAX_LIST / 2 * 3;
/// What blocks of PEM are called that hold a list, or an answer. The second name is that of the structure: there is no agreed one.
const LABELS: [&str; 2] = ["X509 CRL", "OCSP RESPONSE"];

/// Lists of what is revoked, and answers about single certificates.
#[derive(Clone, Default)]
pub struct Revoked {
    lists: Vec<Arc<List>>,
    answers: Vec<Answer>,
}

/// Why a file is neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a list of revoked certificates nor an answer about one: {0}")]
pub struct RevokedError(String);

/// What lists say of a chain.
pub(crate) struct Standing {
    /// Why it must not be believed any more.
    pub revoked: Option<String>,
    /// What nobody could look up.
    pub unchecked: Vec<String>,
}

impl Revoked {
    /// Adds a list, or an answer of OCSP: DER, or blocks `X509 CRL` and `OCSP RESPONSE` in PEM.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), RevokedError> {
        if bytes.len() > MAX_FILE {
            return Err(RevokedError(format!("{} bytes are more than {MAX_FILE}", bytes.len())));
        }
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN "));
        let ders = match text {
            Some(text) => {
                let blocks = pem::blocks(text).map_err(RevokedError)?;
                blocks
                    .into_iter()
                    .filter(|block| LABELS.contains(&block.label.as_str()))
                    .map(|b| b.bytes.to_vec())
                    .collect()
            }
            None => vec![bytes.to_vec()],
        };
        if ders.is_empty() {
            return Err(RevokedError("it has no block `X509 CRL` or `OCSP RESPONSE`".to_owned()));
        }
        for der in ders {
            if let Ok(answer) = Answer::read(&der) {
                self.answers.push(answer);
                continue;
            }
            self.lists.push(Arc::new(List::read(&der).map_err(RevokedError)?));
        }
        Ok(())
    }

    /// How many certificates its lists name.
    pub fn len(&self) -> usize {
        self.lists.iter().map(|list| list.len()).sum()
    }

    /// Whether its lists name none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How `chain` stands at `now`, leaf first. Nobody can take back a root.
    pub(crate) fn check(&self, chain: &[Certificate], now: Timestamp) -> Standing {
        let mut standing = Standing { revoked: None, unchecked: Vec::new() };
        for (one, issuer) in chain.iter().zip(chain.iter().skip(1)) {
            match self.of(one, issuer, now) {
                Ok(true) => {
                    let why =
                        format!("`{}` revoked the certificate of `{}`", issuer.subject(), one.subject());
                    standing.revoked.get_or_insert(why);
                }
                Ok(false) => {}
                Err(why) => standing.unchecked.push(why),
            }
        }
        standing
    }

    /// When a list or an answer begins to count, and when it is too old.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Timestamp> {
        let lists = self.lists.iter().flat_map(|list| {
            let (from, until) = list.bounds();
            from.into_iter().chain(until.and_then(after))
        });
        lists.chain(self.answers.iter().flat_map(Answer::turns))
    }

    /// Whether `issuer` revoked `one`, or why nobody can tell.
    fn of(&self, one: &Certificate, issuer: &Certificate, now: Timestamp) -> Result<bool, String> {
        let subject = issuer.subject();
        let mut why = format!("nobody gave a list of what `{subject}` revoked");
        let mut known = false;
        for answer in &self.answers {
            match answer.about(one, issuer, now) {
                Some(Ok(true)) => return Ok(true),
                Some(Ok(false)) => known = true,
                Some(Err(wrong)) => why = format!("the answer of `{subject}` about it {wrong}"),
                None => {}
            }
        }
        for list in &self.lists {
            if !list.is_by(issuer) {
                continue;
            }
            match list.check_signed(issuer) {
                // Once revoked, always revoked, whichever of the lists says it and however old that is: else waiting for the
                // end of a list would bring a stolen key back.
                Ok(()) if list.names(one) => return Ok(true),
                Ok(()) if list.is_of(now) => known = true,
                Ok(()) => {
                    why = format!("the list of what `{subject}` revoked is not of now: get the newest one");
                }
                Err(wrong) => why = format!("the list of what `{subject}` revoked {wrong}"),
            }
        }
        if known { Ok(false) } else { Err(why) }
    }
}
