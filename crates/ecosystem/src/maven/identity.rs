//! Which library an archive is, from what lies in it and from its name.

use std::collections::BTreeMap;

use super::{groups, pom};
use crate::word::is_word;

/// One library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Library {
    /// Empty where nothing tells it.
    pub group: String,
    pub artifact: String,
    pub version: String,
}

/// What was found so far in one archive.
#[derive(Default)]
pub(super) struct Clues {
    /// Name and version by the name of the file; either may be empty.
    file: (String, String),
    /// By folder below `META-INF/maven`, so that a `pom.xml` does not count beside its `pom.properties`.
    properties: BTreeMap<String, Library>,
    poms: BTreeMap<String, Library>,
    manifest: BTreeMap<String, String>,
}

/// Headers of a manifest that tell something.
const HEADERS: [&str; 9] = [
    "Automatic-Module-Name",
    "Bundle-SymbolicName",
    "Bundle-Version",
    "Implementation-Title",
    "Implementation-Vendor-Id",
    "Implementation-Version",
    "Plugin-Version",
    "Short-Name",
    "Specification-Version",
];

impl Clues {
    /// Nothing but the name of the file.
    pub(super) fn of(file: &str) -> Self {
        Self { file: split_name(file), ..Self::default() }
    }

    /// Whether the member at `path` tells something.
    pub(super) fn wants(path: &str) -> bool {
        path == "META-INF/MANIFEST.MF" || folder(path).is_some()
    }

    /// Reads one such member.
    pub(super) fn add(&mut self, path: &str, content: &[u8]) {
        let text = String::from_utf8_lossy(content);
        let Some(folder) = folder(path) else {
            self.manifest = manifest(&text);
            return;
        };
        if path.ends_with(".properties") {
            self.properties.extend(properties(&text).map(|library| (folder.to_owned(), library)));
        } else {
            self.poms.extend(pom::identity(&text).map(|library| (folder.to_owned(), library)));
        }
    }

    /// The libraries, and why advisories cannot be asked about all of them. An archive of code in another archive
    /// (`is_part`) is a library, even if nothing tells which: then the version is empty, too.
    pub(super) fn libraries(mut self, is_part: bool) -> (Vec<Library>, Option<&'static str>) {
        for (folder, library) in std::mem::take(&mut self.poms) {
            self.properties.entry(folder).or_insert(library);
        }
        let mut libraries: Vec<Library> = std::mem::take(&mut self.properties).into_values().collect();
        // A file may be called otherwise than its artifact; then it has that one's version.
        let named = |library: &Library| {
            library.artifact == self.file.0 || library.version == self.file.1 || self.file.0.is_empty()
        };
        if libraries.iter().any(named) {
            return (libraries, None);
        }
        // No library in it has its name: nothing in it tells what it is, or it was shaded into others.
        let mut problem = None;
        if let Some(own) = self.itself() {
            let why = "it does not tell the group of its library, by which advisories know it";
            problem = own.group.is_empty().then_some(why);
            libraries.push(own);
        } else if is_part && libraries.is_empty() && is_word(&self.file.0) {
            let (group, version) = (String::new(), String::new());
            libraries.push(Library { group, artifact: self.file.0, version });
        }
        (libraries, problem)
    }

    /// By manifest and file name. `None` where there is no version: the application's own code, mostly.
    fn itself(&self) -> Option<Library> {
        let header = |key: &str| self.manifest.get(key).map(String::as_str).filter(|text| is_word(text));
        let symbolic = header("Bundle-SymbolicName").map(|name| name.split(';').next().unwrap_or(name));
        let (file, version) = (&self.file.0, &self.file.1);
        let title = header("Implementation-Title").or_else(|| header("Short-Name"));
        let artifact =
            [Some(file.as_str()).filter(|file| !file.is_empty()), title].into_iter().flatten().next()?;
        let version = [Some(version.as_str()).filter(|version| !version.is_empty())]
            .into_iter()
            .chain(
                ["Implementation-Version", "Plugin-Version", "Bundle-Version", "Specification-Version"]
                    .map(header),
            )
            .flatten()
            .next()?;
        let by_name = groups::of(artifact, version).map(str::to_owned);
        let by_bundle = symbolic.and_then(|name| {
            let group = name.strip_suffix(artifact).map(|group| group.trim_end_matches('.'));
            group.filter(|group| group.contains('.')).map(str::to_owned)
        });
        let by_vendor = header("Implementation-Vendor-Id").filter(|id| id.contains('.')).map(str::to_owned);
        let group = by_name.or(by_vendor).or(by_bundle).unwrap_or_default();
        // Without a version in the file's name there is no telling a library from an application.
        let is_library = !self.file.1.is_empty() || !group.is_empty();
        let library = Library { group, artifact: artifact.to_owned(), version: version.to_owned() };
        (is_library && is_word(&library.artifact) && is_word(&library.version)).then_some(library)
    }
}

/// The folder of a `pom.properties` or `pom.xml` below `META-INF/maven`.
pub(super) fn folder(path: &str) -> Option<&str> {
    let (_, inside) = path.split_once("META-INF/maven/")?;
    let (folder, name) = inside.rsplit_once('/')?;
    (matches!(name, "pom.properties" | "pom.xml") && folder.split('/').count() == 2).then_some(folder)
}

/// `key=value` lines (Java `Properties`, of which Maven uses no more).
pub(super) fn properties(text: &str) -> Option<Library> {
    let field = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(['=', ':']));
        lines
            .find(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
            .filter(|text| is_word(text))
    };
    Some(Library { group: field("groupId")?, artifact: field("artifactId")?, version: field("version")? })
}

/// The main section: headers up to the first empty line, continued where a line begins with a space.
fn manifest(text: &str) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if let Some(more) = line.strip_prefix(' ') {
            if let Some(value) = current.as_ref().and_then(|key| headers.get_mut(key)) {
                value.push_str(more);
            }
            continue;
        }
        current = None;
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| HEADERS.contains(key)) else {
            continue;
        };
        headers.insert(key.to_owned(), value.trim().to_owned());
        current = Some(key.to_owned());
    }
    headers
}

/// `spring-core` and `5.3.1` of `spring-core-5.3.1.jar`.
fn split_name(file: &str) -> (String, String) {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut hyphens = stem.match_indices('-').map(|(at, _)| at);
    let is_version =
        |at: &usize| stem.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match hyphens.find(is_version) {
        Some(at) => {
            (stem.get(..at).unwrap_or_default().to_owned(), stem.get(at + 1..).unwrap_or_default().to_owned())
        }
        None => (stem.to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(group: &str, artifact: &str, version: &str) -> Library {
        Library { group: group.to_owned(), artifact: artifact.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn archives_without_maven() {
        for (file, manifest, expected) in [
            (
                "spring-core-5.3.1.jar",
                "Implementation-Title: spring-core\n",
                Some(library("org.springframework", "spring-core", "5.3.1")),
            ),
            (
                "x-1.0.jar",
                "Implementation-Vendor-Id: com.exam\n ple\nImplementation-Version: 9\n\nName: other\n",
                Some(library("com.example", "x", "1.0")),
            ),
            (
                "y-2.jar",
                "Bundle-SymbolicName: org.acme.y;singleton:=true\n",
                Some(library("org.acme", "y", "2")),
            ),
            (
                "y.jar",
                "Bundle-SymbolicName: org.acme.y\nBundle-Version: 3\n",
                Some(library("org.acme", "y", "3")),
            ),
            ("app.jar", "Implementation-Version: 1.0\n", None),
            ("app.jar", "", None),
        ] {
            let mut clues = Clues::of(file);
            clues.add("META-INF/MANIFEST.MF", manifest.as_bytes());
            let (found, problem) = clues.libraries(false);
            assert_eq!((found.first(), problem), (expected.as_ref(), None), "{file}");
        }
        let (found, problem) = Clues::of("strange-1.0.jar").libraries(false);
        assert!(found == [library("", "strange", "1.0")] && problem.is_some());
        assert_eq!(Clues::of("app.jar").libraries(true), (vec![library("", "app", "")], None));
    }
}
