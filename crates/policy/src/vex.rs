//! Whose VEX documents count: the section `vex:`.

use serde::Deserialize;

use crate::{
    authority::Authorities,
    text::{Line, Name},
};

/// Who may set findings aside by a document that is attached to an image. Anybody else's changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VexAuthors {
    /// Names of authorities, in the order of the policy: what one of them signed counts.
    pub signed_by: Vec<String>,
    /// Names of roles: what a principal pushed who holds one of them for the repository counts. Only the registry knows who
    /// pushed what.
    pub pushed_by: Vec<String>,
}

impl VexAuthors {
    /// Whose documents count, in one sentence.
    pub fn words(&self) -> String {
        let signed = self.signed_by.iter().map(|name| format!("signed by {name}"));
        let pushed = self.pushed_by.iter().map(|role| format!("pushed by a holder of {role}"));
        let all: Vec<String> = signed.chain(pushed).collect();
        format!("VEX documents {}", all.join(", or "))
    }
}

/// `vex:`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VexFile {
    #[serde(default)]
    signed_by: Vec<Name>,
    #[serde(default)]
    keys: Vec<Line>,
    #[serde(default)]
    pushed_by: Vec<Line>,
}

impl VexFile {
    pub(crate) fn compile(self, authorities: &mut Authorities<'_>) -> Result<VexAuthors, String> {
        let signed_by = authorities.named(self.signed_by, self.keys)?;
        authorities.say(&signed_by, "VEX documents")?;
        let pushed_by: Vec<String> = self.pushed_by.into_iter().map(|Line(role)| role).collect();
        if signed_by.is_empty() && pushed_by.is_empty() {
            return Err("write `signed_by` (names of authorities), `keys` (files of public keys) or `pushed_by` (names of \
                        roles): without any, no document counts, and the section can go"
                .to_owned());
        }
        Ok(VexAuthors { signed_by, pushed_by })
    }
}
