//! Where repositories here have their content from, for whoever needs bytes of it again.

use std::sync::Arc;

use boltseal_api::upstreams::{Kept, Mirror, kinds};
use boltseal_image::remote::Repository;
use tokio::task::spawn_blocking;

use super::{Door, Known, Trouble};
use crate::Inner;

/// A repository of another registry that should have what one here has.
pub(crate) struct Origin {
    /// There.
    pub(crate) from: Repository,
    /// Host of the registry, and port if any.
    pub(crate) host: String,
    /// Which setting says so: `upstream hub`, `mirror base`.
    pub(crate) why: String,
    /// Remembers how asking it went, where somebody does.
    known: Option<Arc<Known>>,
}

impl Origin {
    /// How asking it went: a registry that is away is left alone for a while.
    pub(crate) fn note(&self, trouble: Option<&Trouble>) {
        if let Some(known) = &self.known {
            known.note(trouble);
        }
    }
}

impl Inner {
    /// What stands behind a repository here: the upstream it is a cache of, or else the first mirror that brings it.
    pub(crate) async fn origin(self: &Arc<Self>, repository: &str) -> Result<Option<Origin>, Trouble> {
        if let Some(known) = self.upstreams.of(repository).await? {
            if !known.setting.enabled {
                return Ok(None);
            }
            if let Some(resting) = known.resting(false) {
                return Err(resting);
            }
            let bring =
                self.bring(&known, repository).await.inspect_err(|trouble| known.note(Some(trouble)))?;
            let setting = &known.setting;
            let (host, why) = (setting.host.clone(), format!("upstream {}", setting.name));
            return Ok(Some(Origin { from: bring.from, host, why, known: Some(known) }));
        }
        for document in self.facts.documents_of(kinds::MIRROR).await? {
            let body = document.body.unwrap_or_default();
            let Ok(Kept::<Mirror> { setting, sealed }) = serde_json::from_str(&body) else { continue };
            let Some(name) = name_there(&setting, repository).map(str::to_owned) else { continue };
            let (host, why) = (setting.host.clone(), format!("mirror {}", setting.name));
            let authority = self.authority.clone();
            let made = spawn_blocking(move || {
                let (username, ca) = (setting.username.as_deref(), setting.ca.as_deref());
                let (host, plain_http) = (setting.host.as_str(), setting.plain_http);
                Door { host, username, sealed: sealed.as_deref(), plain_http, ca, hurry: true }
                    .open(&authority)
            });
            let remote = made.await.map_err(Trouble::ended)??;
            let from = remote.repository(&name).map_err(|error| Trouble::of(&error))?;
            return Ok(Some(Origin { from, host, why, known: None }));
        }
        Ok(None)
    }
}

/// The name there of a repository here that a mirror brings.
fn name_there<'r>(mirror: &Mirror, repository: &'r str) -> Option<&'r str> {
    let name = repository.strip_prefix(mirror.destination.as_str())?.strip_prefix('/')?;
    mirror.repositories.iter().any(|known| known == name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_bring_what_they_list_and_nothing_else() {
        let mirror: Mirror = serde_json::from_value(serde_json::json!({
            "name": "m", "host": "r.example", "repositories": ["app", "team/app"], "destination": "copies",
        }))
        .unwrap();
        for (repository, expected) in [
            ("copies/app", Some("app")),
            ("copies/team/app", Some("team/app")),
            ("copies/other", None),
            ("copiesapp", None),
            ("copies", None),
            ("app", None),
        ] {
            assert_eq!(name_there(&mirror, repository), expected, "{repository}");
        }
    }
}
