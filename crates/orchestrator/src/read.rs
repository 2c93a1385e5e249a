//! Files to workloads and other objects: who reads what.

use std::sync::Arc;

use thiserror::Error;

use crate::{
    aci,
    docker::{compose, inspect},
    dockerfile::{self, Dockerfile, DockerfileError},
    document::{self, At, DocumentError, Node},
    kubernetes,
    leaf::{Leaf, Place},
    marathon, nomad, oci, service_fabric,
    workload::Workload,
};

/// Somebody who reads the definitions of an orchestrator.
#[derive(Debug)]
pub struct Reader {
    /// `kubernetes`
    pub name: &'static str,
    /// What it reads, in a few words.
    pub title: &'static str,
    /// Whether a document is one of its own.
    pub recognises: fn(&At<'_>) -> bool,
    /// Reads it.
    pub read: fn(&Arc<str>, &Node, &mut Read),
}

/// Every reader; the first that recognises a document reads it.
pub const ALL: &[Reader] = &[
    aci::READER,
    kubernetes::READER,
    compose::READER,
    inspect::READER,
    oci::READER,
    service_fabric::READER,
    nomad::READER,
    marathon::READER,
];

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// What it runs.
    pub workloads: Vec<Workload>,
    /// Everything it describes, with what it runs.
    pub objects: Vec<Object>,
    /// Dockerfiles.
    pub builds: Vec<Dockerfile>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Something an orchestrator is asked to make: a role, a service, a workload.
#[derive(Clone, Debug)]
pub struct Object {
    /// The name of the reader.
    pub orchestrator: &'static str,
    /// The file as it was named.
    pub file: Arc<str>,
    /// The line on which it begins.
    pub line: u32,
    /// `apps/v1`
    pub api: String,
    /// `Deployment`
    pub kind: String,
    /// Its name, or `*` where it has none yet.
    pub name: String,
    /// Its namespace.
    pub namespace: Leaf<String>,
    /// What is said about it.
    pub node: Arc<Node>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The file as it was named.
    pub file: Arc<str>,
    /// Counted from one.
    pub line: u32,
    /// Why.
    pub why: String,
}

/// Why a file says nothing to us.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// It is no document.
    #[error("{file}: {cause}")]
    Document {
        /// The file as it was named.
        file: String,
        /// Why.
        cause: DocumentError,
    },
    /// It is called a Dockerfile, and is none.
    #[error("{file}: {cause}")]
    Dockerfile {
        /// The file as it was named.
        file: String,
        /// Why.
        cause: DockerfileError,
    },
    /// No reader recognises anything in it.
    #[error("{file}: nothing in it is a definition that is known here")]
    Unrecognised {
        /// The file as it was named.
        file: String,
    },
}

/// Why a document beside definitions is not read.
pub const FOREIGN: &str = "not a definition that is known here";

impl Error {
    /// Where the trouble is, counted from one.
    pub const fn line(&self) -> u32 {
        match self {
            Self::Document {
                cause: DocumentError::Syntax { line, .. } | DocumentError::Limit { line, .. },
                ..
            }
            | Self::Dockerfile {
                cause: DockerfileError::Syntax { line, .. } | DockerfileError::Text { line },
                ..
            } => *line,
            _ => 1,
        }
    }

    /// What the trouble is, without the name of the file.
    pub fn why(&self) -> String {
        match self {
            Self::Document { cause: DocumentError::Syntax { problem, .. }, .. } => problem.clone(),
            Self::Document { cause, .. } => cause.to_string(),
            Self::Dockerfile { cause: DockerfileError::Syntax { why, .. }, .. } => why.clone(),
            Self::Dockerfile { cause, .. } => cause.to_string(),
            Self::Unrecognised { .. } => FOREIGN.to_owned(),
        }
    }
}

impl Object {
    /// What `node` says about itself, in the language of Kubernetes.
    pub(crate) fn new(orchestrator: &'static str, file: &Arc<str>, node: &Arc<Node>) -> Self {
        let at = At::top(node);
        let text = |at: &At<'_>| at.word().unwrap_or_default().to_owned();
        let metadata = at.get("metadata");
        let name = metadata.get("name").word().or_else(|| metadata.get("generateName").word()).unwrap_or("*");
        Self {
            orchestrator,
            file: file.clone(),
            line: node.line,
            api: text(&at.get("apiVersion")),
            kind: text(&at.get("kind")),
            name: name.to_owned(),
            namespace: metadata.get("namespace").text(),
            node: node.clone(),
        }
    }

    /// The top of it.
    pub fn at(&self) -> At<'_> {
        At::top(&self.node)
    }

    /// `Role shop/reader`
    pub fn title(&self) -> String {
        match self.namespace.known() {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    /// Where it begins.
    pub const fn place(&self) -> Place {
        Place { line: self.line, path: String::new() }
    }
}

impl Read {
    /// Takes over what another file says.
    pub fn add(&mut self, other: Self) {
        self.workloads.extend(other.workloads);
        self.objects.extend(other.objects);
        self.builds.extend(other.builds);
        self.gaps.extend(other.gaps);
    }

    pub(crate) fn gap(&mut self, file: &Arc<str>, line: u32, why: impl Into<String>) {
        self.gaps.push(Gap { file: file.clone(), line, why: why.into() });
    }
}

/// Reads a file; `file` is how people named it, and by its name a Dockerfile is known.
pub fn read(file: &str, bytes: &[u8]) -> Result<Read, Error> {
    if dockerfile::is_name(file) {
        let build = Dockerfile::read(file, bytes)
            .map_err(|cause| Error::Dockerfile { file: file.to_owned(), cause })?;
        return Ok(Read { builds: vec![build], ..Read::default() });
    }
    let documents =
        document::read(bytes).map_err(|cause| Error::Document { file: file.to_owned(), cause })?;
    let name: Arc<str> = Arc::from(file);
    let mut out = Read::default();
    let mut known = false;
    for node in &documents {
        let at = At::top(node);
        match ALL.iter().find(|reader| (reader.recognises)(&at)) {
            Some(reader) => {
                known = true;
                (reader.read)(&name, node, &mut out);
            }
            None => out.gap(&name, node.line, FOREIGN),
        }
    }
    if known { Ok(out) } else { Err(Error::Unrecognised { file: file.to_owned() }) }
}
