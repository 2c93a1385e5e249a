//! Lists in pages: tags of a repository, repositories.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use boltseal_identity::{Action, Scope};
use boltseal_model::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Call};
use crate::{
    failure::{Code, Failure},
    route::encode,
};

/// Entries of a page when the client does not say, and at most.
pub(super) const PAGE: u64 = 10_000;

impl Call {
    pub(super) async fn tags(&self, repository: &str) -> Answer {
        let (limit, last) = self.page(PAGE)?;
        let tags = self.registry.0.facts.tags(repository, last, limit.saturating_add(1)).await?;
        let tags = tags
            .ok_or_else(|| Failure::new(Code::NameUnknown, format!("there is no repository {repository}")))?;
        let (mut tags, more) = cut(tags, limit);
        let unlisted = self.registry.0.facts.unlisted(repository).await?;
        tags.retain(|tag| !unlisted.contains(tag));
        let path = format!("/v2/{repository}/tags/list");
        Ok(listing(json!({ "name": repository, "tags": tags }), &path, limit, more))
    }

    /// The repositories that the caller may read: no more, whoever asks. Under either path.
    pub(super) async fn catalog(&self, path: &str, page: u64) -> Answer {
        let (limit, last) = self.page(page)?;
        let (inner, now) = (&self.registry.0, Timestamp::now());
        let directory = inner.authority.directory();
        let registry = Scope::registry(self.registry.name()).map_err(Failure::fault)?;
        let all = directory.decide(self.caller.id, Action::CatalogRead, &registry, now).is_granted();
        let visible = directory.visible(self.caller.id, Action::MetadataRead, now);
        let shown = |name: &String| {
            all || Scope::repository(self.registry.name(), name).is_ok_and(|scope| visible.contains(&scope))
        };
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let (mut names, mut last) = (Vec::new(), last.to_owned());
        while names.len() < wanted {
            // Whoever sees all of them needs no more than are wanted; of the others many may be hidden.
            let asked = if all { limit.saturating_add(1).min(PAGE) } else { PAGE };
            let page = inner.facts.repositories(&last, asked).await?;
            let Some(end) = page.last() else { break };
            let (ended, end) = ((page.len() as u64) < asked, end.clone());
            names.extend(page.into_iter().filter(shown).take(wanted - names.len()));
            if ended {
                break;
            }
            last = end;
        }
        let (mut names, more) = cut(names, limit);
        let unlisted = inner.facts.unlisted_repositories().await?;
        names.retain(|name| !unlisted.contains(name));
        Ok(listing(json!({ "repositories": names }), path, limit, more))
    }

    /// Entries wanted, `page` of them when the client does not say, and the entry after which they begin.
    pub(super) fn page(&self, page: u64) -> Result<(u64, &str), Failure> {
        let limit = match self.query.get("n") {
            None => page,
            Some(text) => text.parse::<u64>().map(|n| n.min(PAGE)).map_err(|_| {
                Failure::new(Code::Unsupported, "n must be a number").status(StatusCode::BAD_REQUEST)
            })?,
        };
        Ok((limit, self.query.get("last").unwrap_or_default()))
    }
}

/// The page, and its last entry if more follow.
fn cut(mut entries: Vec<String>, limit: u64) -> (Vec<String>, Option<String>) {
    let more = shorten(&mut entries, limit);
    let last = entries.last().filter(|_| more).cloned();
    (entries, last)
}

/// Leaves `limit` entries; whether there were more.
pub(super) fn shorten<T>(entries: &mut Vec<T>, limit: u64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    more
}

/// A list, and where it goes on if more follow. `path` may have parameters.
pub(super) fn listing(
    content: Value,
    path: &str,
    limit: u64,
    more: Option<String>,
) -> axum::response::Response {
    let mut response = Json(content).into_response();
    if let Some(last) = more
        && let Ok(link) = HeaderValue::from_str(&format!(
            "<{path}{}n={limit}&last={}>; rel=\"next\"",
            if path.contains('?') { '&' } else { '?' },
            encode(&last)
        ))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
