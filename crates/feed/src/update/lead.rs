//! From the address of a feed to that of its file, where publishers name the file anew each time.
//!
//! Sources: the metadata of repositories, <https://createrepo.baseurl.org/>; mirror lists of Amazon Linux; Red Hat's
//! `archive_latest.txt`.

use url::Url;

use super::{
    Update,
    sources::{File, Lead},
};
use crate::{Error, format::Document, xml::Xml};

/// A list of mirrors, a name, the metadata of a repository: 10 KB at most.
const MAX_TEXT: u64 = 1 << 20;

/// Where `file` is now. A mirror of ours has files under names that stay.
pub(super) fn resolve(how: &Update, file: &File) -> Result<String, Error> {
    if how.mirror.is_some() {
        return Ok(file.address(how.mirror.as_ref()));
    }
    let text = |url: &str| -> Result<String, Error> { Ok(how.client.get(url)?.success()?.text(MAX_TEXT)?) };
    let first = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    match file.lead {
        Lead::File => Ok(file.url.to_owned()),
        Lead::Line => beside(file.url, &first(&text(file.url)?)),
        Lead::Repository => repository(file.url, &text(file.url)?),
        Lead::Mirrors => {
            let mirror = first(&text(file.url)?);
            let mirror = format!("{}/repodata/repomd.xml", mirror.trim_end_matches('/'));
            // Somebody else's mirror is fine, another protocol is not.
            let metadata = beside(file.url, &mirror)?;
            repository(&metadata, &text(&metadata)?)
        }
    }
}

/// `name` as seen from `url`, if it is an address of the same kind.
fn beside(url: &str, name: &str) -> Result<String, Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::broken(url, "feed address", why);
    if name.is_empty() || name.len() > 1024 {
        return Err(wrong(&"it names no file"));
    }
    let base = Url::parse(url).map_err(|error| wrong(&error))?;
    let found = base.join(name).map_err(|error| wrong(&error))?;
    if found.scheme() != base.scheme() {
        return Err(wrong(&format!("it leads to {found}, which is not {}", base.scheme())));
    }
    Ok(found.into())
}

/// The `updateinfo` that the metadata at `url` names.
fn repository(url: &str, metadata: &str) -> Result<String, Error> {
    let mut input = metadata.as_bytes();
    let mut document = Document { name: url, input: &mut input };
    let mut xml = Xml::new(&mut document, "repository")?;
    while let Some(data) = xml.next(&["data"])? {
        if data.attribute("type") == "updateinfo"
            && let Some(location) = data.child("location")
        {
            // Locations are relative to the folder above `repodata`.
            return beside(url, &format!("../{}", location.attribute("href")));
        }
    }
    Err(Error::broken(url, "repository", "it has no `updateinfo`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let url = "https://example.com/repo/repodata/repomd.xml";
        let metadata = r#"<repomd><data type="primary"><location href="repodata/p.xml"/></data>
            <data type="updateinfo"><location href="repodata/1-updateinfo.xml.gz"/></data></repomd>"#;
        let found = repository(url, metadata).unwrap();
        assert_eq!(found, "https://example.com/repo/repodata/1-updateinfo.xml.gz");
        assert!(repository(url, "<repomd></repomd>").is_err());
        for (name, found) in [
            ("a-2026.tar.zst", Some("https://example.com/repo/repodata/a-2026.tar.zst")),
            ("https://other.example.com/x", Some("https://other.example.com/x")),
            ("http://example.com/x", None),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(beside(url, name).ok().as_deref(), found, "{name}");
        }
    }
}
