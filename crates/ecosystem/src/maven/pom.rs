//! `pom.xml` (Maven documentation, "POM Reference"): a project, what it needs, and what its parents add.
//!
//! Parents that lie in the same folder tree are read; others are in repositories, and what only they tell is unknown.

use std::collections::{BTreeMap, HashMap};

use quick_xml::{Reader as Xml, events::Event};

use super::identity::Library;
use crate::{
    lock::{Lock, Pin},
    word::is_word,
};

/// Parents of parents. Real projects have up to five.
const MAX_PARENTS: usize = 16;
/// Properties inside properties.
const MAX_DEPTH: usize = 16;
/// Properties replaced in one text: those inside each other could multiply without end.
const MAX_REPLACED: usize = 1000;
/// Bytes of a text with properties replaced; nothing real has more than some hundred.
const MAX_FILLED: usize = 4096;
/// Elements inside elements; a POM needs a dozen.
const MAX_NESTING: usize = 256;

/// Pushes what the project needs, by its own word and that of its parents.
pub(super) fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let mut project = Pom::parse(&lock.text())?;
    let mut at = *lock;
    for _ in 0..MAX_PARENTS {
        let Some((place, parent)) = project.parent.as_ref().and_then(|parent| parent.find(&at)) else {
            break;
        };
        at = place;
        project.inherit(parent);
    }
    let mut managed = HashMap::new();
    for need in &project.managed {
        managed.entry((project.fill(&need.group), project.fill(&need.artifact))).or_insert(need);
    }
    out.extend(project.needs.iter().filter_map(|need| project.pin(need, &managed)));
    Ok(())
}

/// Group, artifact and version of the project itself, as they stand in an archive.
pub(super) fn identity(text: &str) -> Option<Library> {
    let pom = Pom::parse(text).ok()?;
    let parent = pom.parent.as_ref();
    let field = |key: &str, inherited: Option<&String>| {
        let own = pom.fields.get(key).or(inherited)?;
        Some(pom.fill(own)).filter(|text| is_word(text) && !text.contains('$'))
    };
    Some(Library {
        group: field("groupId", parent.map(|parent| &parent.group))?,
        artifact: field("artifactId", None)?,
        version: field("version", parent.map(|parent| &parent.version))?,
    })
}

#[derive(Default)]
struct Pom {
    /// `groupId`, `artifactId`, `version`.
    fields: BTreeMap<String, String>,
    parent: Option<Parent>,
    properties: BTreeMap<String, String>,
    needs: Vec<Need>,
    /// Versions for needs that have none.
    managed: Vec<Need>,
}

#[derive(Clone, Default)]
struct Parent {
    group: String,
    artifact: String,
    version: String,
    path: String,
}

#[derive(Clone, Default)]
struct Need {
    group: String,
    artifact: String,
    version: String,
    scope: String,
}

impl Pom {
    fn parse(text: &str) -> Result<Self, String> {
        let mut xml = Xml::from_str(text);
        let mut pom = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut value = String::new();
        loop {
            match xml.read_event().map_err(|error| error.to_string())? {
                Event::Eof => break,
                Event::Start(tag) => {
                    let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                    path.push(name);
                    value.clear();
                    if path.len() > MAX_NESTING {
                        return Err(format!("elements are nested deeper than {MAX_NESTING}"));
                    }
                    pom.start(&path);
                }
                Event::Text(text) => value.push_str(&String::from_utf8_lossy(&text)),
                Event::CData(text) => value.push_str(&String::from_utf8_lossy(&text)),
                Event::End(_) => {
                    pom.end(&path, value.trim());
                    path.pop();
                    value.clear();
                }
                _ => {}
            }
        }
        if pom.fields.contains_key("project") { Ok(pom) } else { Err("there is no project".to_owned()) }
    }

    fn start(&mut self, path: &[String]) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path[..] {
            ["project"] => _ = self.fields.insert("project".to_owned(), String::new()),
            ["project", "parent"] => self.parent = Some(Parent::default()),
            ["project", "dependencies", "dependency"] => self.needs.push(Need::default()),
            ["project", "dependencyManagement", "dependencies", "dependency"] => {
                self.managed.push(Need::default());
            }
            _ => {}
        }
    }

    fn end(&mut self, path: &[String], value: &str) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let value = || value.to_owned();
        match path[..] {
            ["project", field @ ("groupId" | "artifactId" | "version")] => {
                self.fields.insert(field.to_owned(), value());
            }
            ["project", "properties", key] => _ = self.properties.insert(key.to_owned(), value()),
            ["project", "parent", field] => {
                let Some(parent) = &mut self.parent else { return };
                match field {
                    "groupId" => parent.group = value(),
                    "artifactId" => parent.artifact = value(),
                    "version" => parent.version = value(),
                    "relativePath" => parent.path = value(),
                    _ => {}
                }
            }
            ["project", "dependencies", "dependency", field] => {
                if let Some(need) = self.needs.last_mut() {
                    need.set(field, value());
                }
            }
            ["project", "dependencyManagement", "dependencies", "dependency", field] => {
                if let Some(need) = self.managed.last_mut() {
                    need.set(field, value());
                }
            }
            _ => {}
        }
    }

    /// Adds what a parent says, where this project says nothing.
    fn inherit(&mut self, parent: Self) {
        for field in ["groupId", "version"] {
            if let (false, Some(value)) = (self.fields.contains_key(field), parent.fields.get(field)) {
                self.fields.insert(field.to_owned(), value.clone());
            }
        }
        if let Some(version) = parent.fields.get("version") {
            self.properties.entry("project.parent.version".to_owned()).or_insert_with(|| version.clone());
        }
        for (key, value) in parent.properties {
            self.properties.entry(key).or_insert(value);
        }
        self.managed.extend(parent.managed);
        self.needs.extend(parent.needs);
        self.parent = parent.parent;
    }

    fn pin(&self, need: &Need, managed: &HashMap<(String, String), &Need>) -> Option<Pin> {
        let (group, artifact) = (self.fill(&need.group), self.fill(&need.artifact));
        if group.is_empty() || artifact.is_empty() || group.contains('$') || artifact.contains('$') {
            return None;
        }
        let managed = managed.get(&(group.clone(), artifact.clone()));
        let choose = |own: &str, managed: Option<&str>| {
            let text = if own.is_empty() { managed.unwrap_or_default() } else { own };
            self.fill(text)
        };
        let version = choose(&need.version, managed.map(|managed| managed.version.as_str()));
        let scope = choose(&need.scope, managed.map(|managed| managed.scope.as_str()));
        // A range leaves a choice, and what only a parent elsewhere tells is not known.
        let exact = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&version);
        let is_exact = !exact.contains(['$', '[', '(', ',', ' ']);
        let pin = Pin::new(format!("{group}:{artifact}"), if is_exact { exact } else { "" });
        Some(pin.only_for(scope == "test"))
    }

    /// `text` with every `${name}` replaced that has a value.
    fn fill(&self, text: &str) -> String {
        let (mut filled, mut left) = (String::new(), MAX_REPLACED);
        self.expand(text, 0, &mut left, &mut filled);
        filled.truncate(filled.floor_char_boundary(MAX_FILLED));
        filled
    }

    fn expand(&self, text: &str, depth: usize, left: &mut usize, filled: &mut String) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            match self.value(name).filter(|_| depth < MAX_DEPTH && *left > 0 && filled.len() < MAX_FILLED) {
                Some(value) => {
                    *left -= 1;
                    self.expand(value, depth + 1, left, filled);
                }
                None => filled.extend(["${", name, "}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
    }

    fn value(&self, name: &str) -> Option<&str> {
        let own = self.properties.get(name).map(String::as_str);
        let field = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom.")).unwrap_or(name);
        let parent = self.parent.as_ref();
        own.or_else(|| match field {
            "parent.version" => parent.map(|parent| parent.version.as_str()),
            "parent.groupId" => parent.map(|parent| parent.group.as_str()),
            "groupId" => self.fields.get(field).or(parent.map(|parent| &parent.group)).map(String::as_str),
            "version" => self.fields.get(field).or(parent.map(|parent| &parent.version)).map(String::as_str),
            "artifactId" => self.fields.get(field).map(String::as_str),
            _ => None,
        })
    }
}

impl Parent {
    /// The file that `relativePath` names, if it is that parent's. Maven looks in the folder above where it says nothing.
    fn find<'a>(&self, from: &Lock<'a>) -> Option<(Lock<'a>, Pom)> {
        let path = if self.path.is_empty() { "../pom.xml" } else { &self.path };
        let file = from.beside(path).or_else(|| from.beside(&format!("{path}/pom.xml")))?;
        let pom = Pom::parse(&file.text()).ok()?;
        (pom.fields.get("artifactId") == Some(&self.artifact)).then_some((file, pom))
    }
}

impl Need {
    fn set(&mut self, field: &str, value: String) {
        match field {
            "groupId" => self.group = value,
            "artifactId" => self.artifact = value,
            "version" => self.version = value,
            "scope" => self.scope = value,
            _ => {}
        }
    }
}
