//! Finding things by name, as far as whoever asks may see them.

use axum::{Json, extract::State as From};
use boltseal_api::search::{Found, Labelled, Packaged, Placed, Tagged, Vulnerable};
use boltseal_identity::{Action, Scope, Visible};

use crate::{State, asking::Asking, control::By, failure::Failure};

/// Of each kind, when nobody says how many; and at most.
pub(crate) const SHOWN: usize = 20;
const MAX_SHOWN: usize = 200;
/// Looked at of each kind for those that may be seen.
const LOOKED_AT: u64 = 2_000;
/// Characters of a text to look for: shorter ones find everything, longer ones nothing.
pub(crate) const LENGTHS: std::ops::RangeInclusive<usize> = 2..=255;
/// The registry's name in scopes.
const REGISTRY: &str = "main";
/// What is looked for.
pub(crate) const KINDS: [&str; 6] =
    ["repositories", "tags", "digests", "labels", "packages", "vulnerabilities"];

/// `GET /api/v1/search?q=&kind=&limit=`
pub(crate) async fn search(From(state): From<State>, by: By, asking: Asking) -> Result<Json<Found>, Failure> {
    let text = asking.text("q");
    if !LENGTHS.contains(&text.chars().count()) {
        return Err(Failure::Asked("`q` is a text of 2 to 255 characters".to_owned()));
    }
    let kind = asking.text("kind");
    if !kind.is_empty() && !KINDS.contains(&kind) {
        return Err(Failure::Asked(format!("`kind` is one of {}", KINDS.join(", "))));
    }
    let limit = asking.some("limit").and_then(|text| text.parse().ok()).unwrap_or(SHOWN).clamp(1, MAX_SHOWN);
    Ok(Json(find(&state, &by, text, kind, limit).await?))
}

/// Looks for `text` among one kind, or among all if `kind` is empty.
pub(crate) async fn find(
    state: &State,
    by: &By,
    text: &str,
    kind: &str,
    limit: usize,
) -> Result<Found, Failure> {
    let look = Look { seen: Seen::of(state, by), state, limit };
    let mut found = Found::default();
    for one in KINDS.into_iter().filter(|one| kind.is_empty() || kind == *one) {
        if look.at(one, text, &mut found).await? {
            found.more.push(one.to_owned());
        }
    }
    Ok(found)
}

/// What the caller may see.
pub(crate) struct Seen {
    /// Images wherever they are.
    pub(crate) all: bool,
    parts: [Visible; 2],
}

impl Seen {
    pub(crate) fn of(state: &State, by: &By) -> Self {
        let (directory, now) = (state.access.authority().directory(), (state.now)());
        // Whoever sees images sees them wherever they are.
        let all = directory.decide(by.caller.id, Action::ImageRead, &Scope::root(), now).is_granted();
        let part = |action| directory.visible(by.caller.id, action, now);
        Self { all, parts: [part(Action::MetadataRead), part(Action::ContentRead)] }
    }

    /// Whether a repository is.
    pub(crate) fn sees(&self, repository: &str) -> bool {
        self.all
            || Scope::repository(REGISTRY, repository)
                .is_ok_and(|scope| self.parts.iter().any(|part| part.contains(&scope)))
    }
}

struct Look<'a> {
    state: &'a State,
    seen: Seen,
    limit: usize,
}

impl Look<'_> {
    /// Adds what there is of one kind; true when there is more.
    async fn at(&self, kind: &str, text: &str, found: &mut Found) -> Result<bool, Failure> {
        let facts = &self.state.facts;
        Ok(match kind {
            "repositories" => self.repositories(text, &mut found.repositories).await?,
            "tags" => {
                let rows = facts.find_tags(text, LOOKED_AT).await?;
                self.take(
                    rows,
                    |row| &row.0,
                    &mut found.tags,
                    |(repository, tag, digest)| Tagged { repository, tag, digest },
                )
            }
            "digests" => match digest(text) {
                Some(text) => {
                    let rows = facts.find_digests(&text, LOOKED_AT).await?;
                    self.take(
                        rows,
                        |row| &row.0,
                        &mut found.digests,
                        |(repository, digest)| Placed { repository, digest },
                    )
                }
                None => false,
            },
            "labels" => {
                let rows = match text.split_once('=') {
                    Some((name, value)) => facts.find_label(name, value, LOOKED_AT).await?,
                    None => facts.find_labels(text, LOOKED_AT).await?,
                };
                self.take(
                    rows,
                    |row| &row.0,
                    &mut found.labels,
                    |(repository, digest, name, value)| Labelled { repository, digest, name, value },
                )
            }
            "packages" => {
                // Names of scoped packages begin with the sign that stands before a version.
                let (name, version) = match text.get(1..).and_then(|rest| rest.rfind('@')) {
                    Some(at) => (text.get(..=at).unwrap_or(text), text.get(at + 2..)),
                    None => (text, None),
                };
                let rows = facts.find_packages(name, version, LOOKED_AT).await?;
                self.take(
                    rows,
                    |row| &row.0,
                    &mut found.packages,
                    |(repository, digest, name, version)| Packaged { repository, digest, name, version },
                )
            }
            _ => {
                let rows = facts.find_vulnerable(&text.to_ascii_uppercase(), LOOKED_AT).await?;
                let make = |(repository, digest, id, package)| Vulnerable { repository, digest, id, package };
                self.take(rows, |row| &row.0, &mut found.vulnerabilities, make)
            }
        })
    }

    async fn repositories(&self, text: &str, found: &mut Vec<String>) -> Result<bool, Failure> {
        let text = text.to_ascii_lowercase();
        let mut last = String::new();
        loop {
            let page = self.state.facts.find_repositories(&text, &last, LOOKED_AT).await?;
            let ended = (page.len() as u64) < LOOKED_AT;
            let Some(end) = page.last().cloned() else { return Ok(false) };
            for name in page.into_iter().filter(|name| self.seen.sees(name)) {
                if found.len() >= self.limit {
                    return Ok(true);
                }
                found.push(name);
            }
            if ended {
                return Ok(false);
            }
            last = end;
        }
    }

    /// Takes those of `rows` that may be seen; true when there is more.
    fn take<R, T>(
        &self,
        rows: Vec<R>,
        repository: impl Fn(&R) -> &String,
        found: &mut Vec<T>,
        make: impl Fn(R) -> T,
    ) -> bool {
        let mut more = rows.len() as u64 >= LOOKED_AT;
        for row in rows.into_iter().filter(|row| self.seen.sees(repository(row))) {
            if found.len() >= self.limit {
                more = true;
                break;
            }
            found.push(make(row));
        }
        more
    }
}

/// The beginning of a digest, with or without its algorithm; nothing that could not be one.
fn digest(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (algorithm, hex) = text.split_once(':').unwrap_or(("sha256", &text));
    let plain = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| format!("{algorithm}:{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_digests() {
        for (text, expected) in [
            ("abc1", Some("sha256:abc1")),
            ("ABC1", Some("sha256:abc1")),
            ("sha256:ab", Some("sha256:ab")),
            ("sha512:ab", Some("sha512:ab")),
            ("sha256:", None),
            ("team", None),
        ] {
            assert_eq!(digest(text).as_deref(), expected, "{text}");
        }
    }
}
