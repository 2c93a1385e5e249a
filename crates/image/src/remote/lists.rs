//! Lists of names (distribution specification, "Listing Tags"; the catalog of distribution and Docker).

use boltseal_wire::client::Method;
use serde::Deserialize;
use url::Url;

use super::{Error, Remote, Repository, next_page};
use crate::error::shown;

/// Names we ask for at once. Registries may give fewer.
const PAGE: usize = 1000;
/// Bytes of a page. A thousand names of 255 characters have a quarter of that.
pub(super) const MAX_PAGE: u64 = 4 << 20;
/// Pages of one list: a million names at our wish, a hundred thousand at the smallest real page.
pub(super) const MAX_PAGES: usize = 10_000;

/// The pages of a list, each fetched when it is asked for. After an error there is no further one.
pub struct Pages<'r> {
    remote: &'r Remote,
    /// `tags` or `repositories`.
    key: fn(Page) -> Option<Vec<String>>,
    what: String,
    scope: String,
    next: Option<Url>,
    seen: usize,
}

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
    repositories: Option<Vec<String>>,
}

impl Remote {
    /// Whether the registry is there and lets us in.
    pub fn ping(&self) -> Result<(), Error> {
        self.send(&self.ask(Method::Get, "", "its front door".to_owned())?).map(drop)
    }

    /// The names of all repositories, where the registry tells them.
    pub fn catalog(&self) -> Result<Pages<'_>, Error> {
        let key = |page: Page| page.repositories;
        self.pages("_catalog", key, "list of repositories".to_owned(), "registry:catalog:*".to_owned(), None)
    }

    fn pages(
        &self,
        path: &str,
        key: fn(Page) -> Option<Vec<String>>,
        what: String,
        scope: String,
        after: Option<&str>,
    ) -> Result<Pages<'_>, Error> {
        let mut url = self.ask(Method::Get, path, what.clone())?.url;
        url.query_pairs_mut().append_pair("n", &PAGE.to_string());
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("last", after);
        }
        Ok(Pages { remote: self, key, what, scope, next: Some(url), seen: 0 })
    }
}

impl Repository {
    /// The tags, as the registry sorts them.
    pub fn tags(&self) -> Result<Pages<'_>, Error> {
        self.tags_after(None)
    }

    /// The tags behind `after`, which need not exist.
    pub fn tags_after(&self, after: Option<&str>) -> Result<Pages<'_>, Error> {
        let key = |page: Page| page.tags.or(Some(Vec::new()));
        let (path, what) = (format!("{}/tags/list", self.name), format!("tags of {}", self.name));
        self.remote.pages(&path, key, what, self.scope("pull"), after)
    }
}

impl Pages<'_> {
    /// All names, at most `limit`: one more is an error.
    pub fn all(self, limit: usize) -> Result<Vec<String>, Error> {
        let (remote, what) = (self.remote, self.what.clone());
        let mut names = Vec::new();
        for page in self {
            names.append(&mut page?);
            if names.len() > limit {
                return Err(remote.wrong(&what, format!("has more than {limit} names")));
            }
        }
        Ok(names)
    }

    fn page(&mut self, url: Url) -> Result<Vec<String>, Error> {
        let wrong = |why: &str| self.remote.wrong(&self.what, why);
        self.seen += 1;
        if self.seen > MAX_PAGES {
            return Err(wrong("has no end"));
        }
        let mut ask = self.remote.ask_at(Method::Get, url, self.what.clone());
        ask.scopes = vec![self.scope.clone()];
        let answer = self.remote.send(&ask)?;
        let next = self.remote.next(&ask.what, &ask.url, &answer)?;
        let bytes = answer
            .bytes(MAX_PAGE)
            .map_err(|source| Error::unreachable(self.remote.host(), &self.what, source))?;
        let page: Page = serde_json::from_slice(&bytes).map_err(|_| wrong("is not the JSON it should be"))?;
        let names = (self.key)(page).ok_or_else(|| wrong("is not the JSON it should be"))?;
        self.next = next;
        // What people will see on their terminal.
        Ok(names.iter().map(|name| shown(name)).collect())
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<String>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let url = self.next.take()?;
        Some(self.page(url))
    }
}

impl Remote {
    /// Where the next page is, if `answer` is not the last; never at another host, never the same again.
    pub(super) fn next(
        &self,
        what: &str,
        asked: &Url,
        answer: &boltseal_wire::client::Response,
    ) -> Result<Option<Url>, Error> {
        let links: Vec<&str> = answer.header_all("link").collect();
        let Some(next) = next_page(&links.join(", ")).map(str::to_owned) else { return Ok(None) };
        let url =
            answer.url().join(&next).map_err(|_| self.wrong(what, "has a next page without address"))?;
        // Behind a proxy that ends TLS, registries write their own idea of host and scheme.
        let mut home = self.0.base.clone();
        home.set_path(url.path());
        home.set_query(url.query());
        if home == *asked {
            return Err(self.wrong(what, "goes in a circle: a page names itself as the next"));
        }
        Ok(Some(home))
    }
}
