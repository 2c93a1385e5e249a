//! What a request to the engine would do.
//!
//! Every request that may change something is in one table. What is not there is refused: an engine of tomorrow may have
//! commands that open a host, and this one would not know.

use super::{
    body::{self, Value},
    request::Request,
};

/// A request to the engine, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What it does, in the words of the command line: `container create`.
    pub title: &'static str,
    /// What it is done to, as the path names it.
    pub object: Option<String>,
    pub does: Does,
}

/// What has to be looked at before it may be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// Nothing changes, and nothing is told but what the engine tells everybody who may ask.
    Read,
    /// Nothing runs by it that does not run already, or it ends something.
    Manage,
    /// A container is described: its image as the engine knows it, and all it asks for.
    Create(Value),
    /// A container runs again.
    Start,
    /// Limits of a container change; the same fields as at its beginning.
    Update(Value),
    /// A process is added to a container.
    Exec(Value),
    /// Code runs that nobody judged.
    Build,
    /// An image is fetched.
    Pull { image: String },
    /// A volume, which may be a folder of the host under another name.
    Volume(Value),
    /// A service of a swarm: its image as every node will fetch it, and all it asks for.
    Service(Value),
    /// Code of others becomes a part of the engine.
    Plugin,
}

/// Why a request is refused before anything is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{method} {path} is no request that this gate knows")]
    Unknown { method: String, path: String },
    #[error("the engine's API {found} lets a container be changed when it starts; use 1.24 or later")]
    Old { found: String },
    #[error("`{title}` came without the body that it must have: what it asks for cannot be seen")]
    NoBody { title: &'static str },
    #[error(transparent)]
    Body(#[from] body::Error),
}

/// How a line of the table is understood.
#[derive(Clone, Copy)]
enum Kind {
    Manage,
    Create,
    Start,
    Update,
    Exec,
    Build,
    Pull,
    Volume,
    Service,
    Plugin,
}

/// Method, path (`*` is one segment, the first of which is the object; `**` is several), title, meaning.
///
/// Docker Engine API 1.24 to 1.48.
const TABLE: &[(&str, &str, &str, Kind)] = &[
    ("POST", "containers/create", "container create", Kind::Create),
    ("POST", "containers/prune", "container prune", Kind::Manage),
    ("POST", "containers/**/start", "container start", Kind::Start),
    ("POST", "containers/**/restart", "container restart", Kind::Start),
    ("POST", "containers/**/unpause", "container unpause", Kind::Start),
    ("POST", "containers/**/update", "container update", Kind::Update),
    ("POST", "containers/**/exec", "container exec", Kind::Exec),
    ("POST", "containers/**/stop", "container stop", Kind::Manage),
    ("POST", "containers/**/kill", "container kill", Kind::Manage),
    ("POST", "containers/**/pause", "container pause", Kind::Manage),
    ("POST", "containers/**/wait", "container wait", Kind::Manage),
    ("POST", "containers/**/resize", "container resize", Kind::Manage),
    ("POST", "containers/**/rename", "container rename", Kind::Manage),
    ("POST", "containers/**/attach", "container attach", Kind::Manage),
    ("GET", "containers/**/attach/ws", "container attach", Kind::Manage),
    ("GET", "containers/**/archive", "container cp", Kind::Manage),
    ("GET", "containers/**/export", "container export", Kind::Manage),
    ("POST", "containers/**/copy", "container cp", Kind::Manage),
    ("PUT", "containers/**/archive", "container cp", Kind::Manage),
    ("POST", "containers/**/checkpoints", "checkpoint create", Kind::Manage),
    ("DELETE", "containers/**/checkpoints/*", "checkpoint rm", Kind::Manage),
    ("DELETE", "containers/**", "container rm", Kind::Manage),
    ("POST", "exec/**/start", "exec start", Kind::Manage),
    ("POST", "exec/**/resize", "exec resize", Kind::Manage),
    ("POST", "commit", "container commit", Kind::Manage),
    ("POST", "build", "image build", Kind::Build),
    ("POST", "build/cancel", "image build cancel", Kind::Manage),
    ("POST", "build/prune", "builder prune", Kind::Manage),
    ("POST", "session", "image build session", Kind::Build),
    ("POST", "grpc", "image build session", Kind::Build),
    ("POST", "images/create", "image pull", Kind::Pull),
    ("POST", "images/load", "image load", Kind::Manage),
    ("POST", "images/prune", "image prune", Kind::Manage),
    ("POST", "images/**/push", "image push", Kind::Manage),
    ("POST", "images/**/tag", "image tag", Kind::Manage),
    ("DELETE", "images/**", "image rm", Kind::Manage),
    ("POST", "auth", "login", Kind::Manage),
    ("POST", "volumes/create", "volume create", Kind::Volume),
    ("POST", "volumes/prune", "volume prune", Kind::Manage),
    ("PUT", "volumes/**", "volume update", Kind::Manage),
    ("DELETE", "volumes/**", "volume rm", Kind::Manage),
    ("POST", "networks/create", "network create", Kind::Manage),
    ("POST", "networks/prune", "network prune", Kind::Manage),
    ("POST", "networks/**/connect", "network connect", Kind::Manage),
    ("POST", "networks/**/disconnect", "network disconnect", Kind::Manage),
    ("DELETE", "networks/**", "network rm", Kind::Manage),
    ("POST", "services/create", "service create", Kind::Service),
    ("POST", "services/*/update", "service update", Kind::Service),
    ("DELETE", "services/*", "service rm", Kind::Manage),
    ("POST", "swarm/init", "swarm init", Kind::Manage),
    ("POST", "swarm/join", "swarm join", Kind::Manage),
    ("POST", "swarm/leave", "swarm leave", Kind::Manage),
    ("POST", "swarm/update", "swarm update", Kind::Manage),
    ("POST", "swarm/unlock", "swarm unlock", Kind::Manage),
    ("POST", "nodes/*/update", "node update", Kind::Manage),
    ("DELETE", "nodes/*", "node rm", Kind::Manage),
    ("POST", "secrets/create", "secret create", Kind::Manage),
    ("POST", "secrets/*/update", "secret update", Kind::Manage),
    ("DELETE", "secrets/*", "secret rm", Kind::Manage),
    ("POST", "configs/create", "config create", Kind::Manage),
    ("POST", "configs/*/update", "config update", Kind::Manage),
    ("DELETE", "configs/*", "config rm", Kind::Manage),
    ("POST", "plugins/pull", "plugin install", Kind::Plugin),
    ("POST", "plugins/create", "plugin create", Kind::Plugin),
    ("POST", "plugins/**/enable", "plugin enable", Kind::Plugin),
    ("POST", "plugins/**/upgrade", "plugin upgrade", Kind::Plugin),
    ("POST", "plugins/**/set", "plugin set", Kind::Plugin),
    ("POST", "plugins/**/push", "plugin push", Kind::Manage),
    ("POST", "plugins/**/disable", "plugin disable", Kind::Manage),
    ("DELETE", "plugins/**", "plugin rm", Kind::Manage),
];

impl Command {
    /// Understands a request.
    pub fn of(request: &Request) -> Result<Self, Error> {
        let unknown = || Error::Unknown { method: request.method.clone(), path: request.path.clone() };
        if let Some(version) = request.version
            && version < (1, 24)
        {
            return Err(Error::Old { found: format!("{}.{}", version.0, version.1) });
        }
        let line = TABLE.iter().find_map(|(method, pattern, title, kind)| {
            let object =
                (*method == request.method).then(|| matching(pattern, &request.segments)).flatten()?;
            Some((*title, *kind, object))
        });
        let Some((title, kind, object)) = line else {
            return match request.method.as_str() {
                "GET" | "HEAD" | "OPTIONS" => Ok(Self { title: "read", object: None, does: Does::Read }),
                _ => Err(unknown()),
            };
        };
        let body = || -> Result<Value, Error> {
            let bytes = request.body.as_deref().filter(|bytes| !bytes.is_empty());
            Ok(Value::read(bytes.ok_or(Error::NoBody { title })?)?)
        };
        let does = match kind {
            Kind::Manage => Does::Manage,
            Kind::Create => Does::Create(body()?),
            Kind::Start => Does::Start,
            Kind::Update => Does::Update(body()?),
            Kind::Exec => Does::Exec(body()?),
            Kind::Build => Does::Build,
            Kind::Pull => pull(request),
            Kind::Volume => Does::Volume(body()?),
            Kind::Service => Does::Service(body()?),
            Kind::Plugin => Does::Plugin,
        };
        Ok(Self { title, object: Some(object).filter(|object| !object.is_empty()), does })
    }
}

/// `docker import` comes by the same path; what it makes was judged by nobody, and starts only when it is.
fn pull(request: &Request) -> Does {
    let Some(image) = request.query("fromImage") else { return Does::Manage };
    match request.query("tag").filter(|tag| !tag.is_empty()) {
        Some(tag) if tag.contains(':') => Does::Pull { image: format!("{image}@{tag}") },
        Some(tag) => Does::Pull { image: format!("{image}:{tag}") },
        None => Does::Pull { image },
    }
}

/// The object in `segments`, where they match.
fn matching(pattern: &str, segments: &[String]) -> Option<String> {
    let mut object = String::new();
    let mut rest = segments;
    let mut wanted = pattern.split('/').peekable();
    while let Some(part) = wanted.next() {
        let taken = match part {
            "**" => rest.len().checked_sub(wanted.clone().count()).filter(|taken| *taken > 0)?,
            _ => 1,
        };
        let (now, later) = rest.split_at_checked(taken)?;
        if part.starts_with('*') {
            if object.is_empty() {
                object = now.join("/");
            }
        } else if now != [part] {
            return None;
        }
        rest = later;
    }
    rest.is_empty().then_some(object)
}
