//! `updateinfo.xml` of RPM repositories: Amazon Linux, Rocky Linux, `AlmaLinux`, Fedora, Bottlerocket.
//!
//! Source: the metadata of `createrepo_c` and Bodhi, <https://github.com/rpm-software-management/createrepo_c>; there is no
//! other description. One `<update>` is held at a time. It lists fixes only: a package that no update names is not
//! said to be free of anything.

use boltseal_ecosystem::rpm::{is_modular, stream_in};
use boltseal_model::{Advisory, Severity, Status};

use super::{Document, Format, Tally, oval::moment};
use crate::{
    Error, Sink, limits, rpm,
    xml::{Element, Xml},
};

/// The format.
pub struct Updateinfo;

const ID: &str = "updateinfo";

impl Format for Updateinfo {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "updateinfo.xml of repositories: Amazon Linux, Rocky Linux, AlmaLinux, Fedora, Bottlerocket"
    }

    fn is_parted(&self) -> bool {
        true
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        has(b"<updates") && (has(b"<update ") || has(b"<update>") || has(b"</updates>"))
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let mut xml = Xml::new(document, ID)?;
        while let Some(update) = xml.next(&["update"])? {
            one(&update, feed, sink, &mut tally);
        }
        // Every repository calls its file the same, so the feed is called by the release.
        tally.feed = tally.spaces.first().map(|space| space.replace(':', "-"));
        Ok(tally)
    }
}

fn one(update: &Element, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    let id = update.text_of("id");
    if id.is_empty() {
        return tally.reject(sink, "update", "no id");
    }
    let date = |name| {
        update.child(name).and_then(|date| moment(date.attribute("date")).or_else(|| moment(&date.text)))
    };
    let (issued, updated) = (date("issued"), date("updated"));
    tally.published = tally.published.max(updated.or(issued));
    if update.attribute("type") != "security" {
        return tally.skip("not about security");
    }
    if matches!(update.attribute("status"), "testing" | "pending" | "obsolete") {
        return tally.skip("not published yet, or withdrawn");
    }
    let references =
        update.child("references").map(|all| all.all("reference").collect::<Vec<_>>()).unwrap_or_default();
    let cves = cves(update, &references);
    if cves.is_empty() {
        return tally.skip("without a CVE");
    }
    let title = update.text_of("title");
    let day = issued.or(updated).map(|issued| issued.to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut gathered = rpm::Gathered::default();
    for collection in update.child("pkglist").iter().flat_map(|list| list.all("collection")) {
        let Some(space) = space(update, collection) else {
            tally.unsupported(if collection.text_of("name").is_empty() {
                "updateinfo of unnamed repositories"
            } else {
                collection.text_of("name")
            });
            continue;
        };
        let stream =
            collection.child("module").map(|m| format!("{}:{}", m.attribute("name"), m.attribute("stream")));
        for package in collection.all("package") {
            package_of(package, &space, stream.as_deref(), title, day, &mut gathered);
        }
    }
    if gathered.is_empty() {
        return tally.skip("of releases not supported, or without packages");
    }
    tally.records += 1;
    for space in gathered.spaces() {
        if !tally.spaces.contains(space) {
            tally.spaces.insert(space.clone());
        }
    }
    let summary = if title.is_empty() { update.text_of("summary") } else { title };
    let mut urls: Vec<String> = references.iter().map(|one| one.attribute("href").to_owned()).collect();
    urls.retain(|url| url.starts_with("http"));
    urls.truncate(limits::MAX_REFERENCES);
    sink.advisory(Advisory {
        id: super::cut(id, limits::MAX_NAME_BYTES),
        aliases: cves.into_iter().filter(|cve| cve != id).collect(),
        feed: feed.to_owned(),
        summary: super::cut(summary, limits::MAX_SUMMARY_BYTES),
        details: super::cut(update.text_of("description"), limits::MAX_DETAILS_BYTES),
        published: issued,
        modified: updated,
        severity: Severity::of_vendor_word(update.text_of("severity")),
        references: urls,
        affected: gathered.affected(),
        ..Advisory::default()
    });
}

/// Of the references, otherwise of the title; a description tells of others' vulnerabilities too.
fn cves(update: &Element, references: &[&Element]) -> Vec<String> {
    let mut cves: Vec<String> = Vec::new();
    for reference in references {
        let words = [reference.attribute("id"), reference.attribute("title")];
        let words = if reference.attribute("type") == "bugzilla" { [words[1], ""] } else { words };
        cves.extend(words.iter().flat_map(|word| super::cves(word)).map(str::to_owned));
    }
    if cves.is_empty() {
        cves.extend(super::cves(update.text_of("title")).into_iter().map(str::to_owned));
    }
    cves.sort();
    cves.dedup();
    cves
}

/// Which release a collection is of: `<collection short="amazon-linux-2023"><name>Amazon Linux 2023</name>`, or what
/// the update itself says in `<release>`.
fn space(update: &Element, collection: &Element) -> Option<String> {
    let short = collection.attribute("short");
    let words = [collection.text_of("name"), update.text_of("release"), short];
    if words[0].eq_ignore_ascii_case("bottlerocket") || short == "bottlerocket" {
        return Some("bottlerocket".to_owned());
    }
    if let Some(space) = words.iter().find_map(|words| rpm::release_space(words)) {
        return Some(space);
    }
    // `amazon-linux-2---core`, `amazon-linux-ami`; `F40` and `EPEL-9` of Bodhi; `almalinux-8-for-x86_64-appstream-rpms…`.
    let amazon = short.strip_prefix("amazon-linux-").map(|rest| rest.split('-').next().unwrap_or_default());
    if let Some(release) = amazon {
        return Some(format!("amazon:{}", if release == "ami" { "1" } else { release }));
    }
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(release) = short.strip_prefix('F').filter(|release| number(release)) {
        return Some(format!("fedora:{release}"));
    }
    let alma = short.strip_prefix("almalinux-").or_else(|| words[0].strip_prefix("almalinux-"))?;
    let release = alma.split('-').next().filter(|release| number(release))?;
    Some(format!("almalinux:{release}"))
}

fn package_of(
    package: &Element,
    space: &str,
    stream: Option<&str>,
    title: &str,
    day: Option<boltseal_model::Date>,
    gathered: &mut rpm::Gathered,
) {
    let (name, cpu) = (package.attribute("name"), package.attribute("arch"));
    let version = package.attribute("version");
    if name.is_empty() || version.is_empty() || name.ends_with("-debuginfo") || name.ends_with("-debugsource")
    {
        return;
    }
    let fixed = rpm::evr(package.attribute("epoch"), version, package.attribute("release"));
    let built = stream.or_else(|| stream_in(title).filter(|_| is_modular(&fixed)));
    let package = rpm::named(name, built, Some(&fixed));
    let key = rpm::Key { space: space.to_owned(), package, status: Status::Affected };
    // A source is fixed for all that is built from it.
    let cpu = if cpu == "src" { "" } else { cpu };
    gathered.add(key, rpm::Span { fixed: Some(fixed), on: day, ..rpm::Span::default() }, cpu);
}
