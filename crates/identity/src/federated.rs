//! Whose tokens are trusted, as far as the directory has to know: on whose behalf.

use serde::Deserialize;

use crate::{Document, Error, PrincipalId, document::kind};

/// A federation: what makes a foreign token one of ours is for others to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Federated {
    pub id: String,
    pub principal: PrincipalId,
    pub body: String,
}

impl Federated {
    pub(crate) fn read(id: &str, body: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Outline {
            principal: PrincipalId,
        }
        let document =
            Document { kind: kind::FEDERATION.to_owned(), id: id.to_owned(), body: body.to_owned() };
        let outline: Outline = document.read()?;
        Ok(Self { id: document.id, principal: outline.principal, body: document.body })
    }

    pub(crate) fn document(&self) -> Document {
        Document { kind: kind::FEDERATION.to_owned(), id: self.id.clone(), body: self.body.clone() }
    }
}
