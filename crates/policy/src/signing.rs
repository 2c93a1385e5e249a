//! The shape of rules about signatures and statements, and what a right shape may still get wrong.

use boltseal_model::Decision;
use serde::Deserialize;

use crate::{
    authority::Authorities,
    kind::StatementKind,
    pattern::{ImagePattern, Wild},
    rule::{Attestations, Signatures, Whose, unknown},
    text::{Line, Name},
};

/// `signatures:`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignaturesFile {
    #[serde(default)]
    images: Vec<ImagePattern>,
    #[serde(default = "unknown")]
    unnamed: Decision,
    #[serde(default)]
    by: Vec<Name>,
    #[serde(default)]
    keys: Vec<Line>,
    #[serde(default = "one")]
    at_least: u16,
}

/// `attestations:`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttestationsFile {
    #[serde(default)]
    images: Vec<ImagePattern>,
    #[serde(default = "unknown")]
    unnamed: Decision,
    #[serde(default)]
    by: Vec<Name>,
    #[serde(default)]
    keys: Vec<Line>,
    #[serde(default = "one")]
    at_least: u16,
    #[serde(default)]
    types: Vec<StatementKind>,
    #[serde(default)]
    builders: Vec<Wild>,
    #[serde(default)]
    sources: Vec<Wild>,
}

const fn one() -> u16 {
    1
}

impl SignaturesFile {
    pub(crate) fn compile(self, authorities: &mut Authorities<'_>) -> Result<Signatures, String> {
        let whose = whose(self.by, self.keys, self.at_least, authorities)?;
        Ok(Signatures { images: self.images, unnamed: self.unnamed, whose })
    }
}

impl AttestationsFile {
    pub(crate) fn compile(self, authorities: &mut Authorities<'_>) -> Result<Attestations, String> {
        let whose = whose(self.by, self.keys, self.at_least, authorities)?;
        authorities.say(&whose.by, "attestations")?;
        if self.types.is_empty() {
            return Err("write `types`: what is to be said, such as [provenance, sbom]".to_owned());
        }
        let how_built = !self.builders.is_empty() || !self.sources.is_empty();
        if how_built && !self.types.iter().any(StatementKind::is_provenance) {
            return Err("builders and sources are said by provenance: add it to `types`".to_owned());
        }
        let Self { images, unnamed, types, builders, sources, .. } = self;
        Ok(Attestations { images, unnamed, whose, types, builders, sources })
    }
}

fn whose(
    by: Vec<Name>,
    keys: Vec<Line>,
    at_least: u16,
    authorities: &mut Authorities<'_>,
) -> Result<Whose, String> {
    let by = authorities.named(by, keys)?;
    if by.is_empty() {
        return Err("write `by` (names of authorities) or `keys` (files of public keys beside the policy): anybody can sign".to_owned());
    }
    if at_least == 0 || usize::from(at_least) > by.len() {
        return Err(format!(
            "`at_least: {at_least}` cannot be met or asks for nothing: the rule names {}",
            by.len()
        ));
    }
    Ok(Whose { by, at_least })
}
