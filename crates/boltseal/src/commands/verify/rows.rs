//! What was found, one by one, and whether it is what was asked for.

use boltseal_flow::signatures::Checked;
use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{
    Signed, Signer,
    predicate::{Predicate, Wanted, is_of, type_of},
};
use serde::Serialize;

/// What is asked for: a statement of this kind, or else a signature.
pub struct Asked {
    /// A type, or a name for one.
    pub kind: Option<String>,
    /// What provenance must say.
    pub wanted: Wanted,
}

impl Asked {
    /// The type.
    pub fn type_of(&self) -> Option<String> {
        self.kind.as_deref().map(|kind| type_of(kind).to_owned())
    }

    /// Whether a statement of this type, or a signature where there is none, is of the kind.
    fn is(&self, predicate_type: Option<&str>) -> bool {
        match (predicate_type, self.kind.as_deref()) {
            (None, None) => true,
            (Some(found), Some(kind)) => is_of(found, kind),
            _ => false,
        }
    }
}

/// One signature or attestation.
#[derive(Serialize)]
pub struct Row {
    pub place: String,
    pub digest: Digest,
    /// Who is believed, by the name of the key's file or of the policy, or `identity`.
    pub authority: Option<String>,
    pub signer: Option<String>,
    /// Times that log or clock prove.
    pub at: Vec<Timestamp>,
    pub logged: bool,
    /// Of a statement.
    pub predicate_type: Option<String>,
    /// What the statement says, where its type is known.
    pub said: Option<Predicate>,
    /// Whether it is what was asked for.
    pub counts: bool,
    /// Why it does not.
    pub refused: Option<String>,
    /// What does not hold though it is let pass, and what nobody could look up.
    pub remarks: Vec<String>,
}

impl Row {
    pub fn of(checked: Checked, asked: &Asked) -> Self {
        let Checked { digest, place, outcome } = checked;
        let refused = |why: String| Self {
            place: place.clone(),
            digest: digest.clone(),
            authority: None,
            signer: None,
            at: Vec::new(),
            logged: false,
            predicate_type: None,
            said: None,
            counts: false,
            refused: Some(why),
            remarks: Vec::new(),
        };
        match outcome {
            Err(why) => refused(why.to_string()),
            Ok(Signed { authority, by, at, logged, statement, remarks }) => {
                let said = statement.as_ref().map(boltseal_trust::Statement::says);
                let predicate_type = statement.map(|statement| statement.predicate_type);
                let is = asked.is(predicate_type.as_deref());
                let unfit = said.as_ref().filter(|_| is).and_then(|said| asked.wanted.check(said).err());
                Self {
                    authority: Some(authority),
                    signer: Some(signer(&by)),
                    at,
                    logged,
                    counts: is && unfit.is_none(),
                    predicate_type,
                    said,
                    remarks,
                    refused: unfit,
                    ..refused(String::new())
                }
            }
        }
    }
}

fn signer(by: &Signer) -> String {
    match by {
        Signer::Key(digest) => format!("key {digest}"),
        Signer::Identity { subject, issuer } => format!("{subject} ({issuer})"),
    }
}
